"""`vagitus baseline`: what it prints and asks, and how it fails; on a broker without a worker."""

import asyncio
import json
import os
import subprocess
import sys

import pytest
from aiokafka import AIOKafkaProducer

from streams.baselines import asking
from streams.baselines.history import read_histories
from streams.commands import baseline as commands
from streams.kafka.topics import BASELINES_TABLE, changelog
from streams.play import Publisher
from streams.records.admission import Admission
from streams.records.baseline_act import BaselineAct
from streams.records.place import Place
from streams.settings import Settings
from streams.timeline.store import TimelineStore
from tests.streams.baselines.test_judging import run, usual
from tests.streams.timeline.days import RESET
from tests.streams.ward import deviation


@pytest.fixture
def ask(vagitus_there, settings, ward, monkeypatch):
    """`vagitus baseline` where infant-1 has cried, infant-2 has not, and no worker answers."""
    stored = run(ward, [usual(ward, n) for n in range(8)])[1]
    asyncio.run(_fill(settings, {"infant-1": stored.encode(), "unassigned:mon-9": b"[]\n"}))
    for name in ("PATIENCE_SECONDS", "LOG_PATIENCE_SECONDS"):
        monkeypatch.setattr(commands, name, 0.3)
    return lambda *arguments: vagitus_there("baseline", *arguments)


async def _fill(settings: Settings, rows: dict[str, bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
        for infant, row in rows.items():
            name = changelog(settings, BASELINES_TABLE)
            for value in (b"[]\n", row):  # the last one counts
                await producer.send_and_wait(name, value, key=infant.encode())
    async with Publisher(settings) as publisher:
        await publisher.admit(Admission("mon-1", "infant-1", "nicu", "cot-1", 0))
        await publisher.admit(Admission("mon-2", "gone", "nicu", "cot-2", 0))
        await publisher.admit(Admission("mon-2", "infant-2", "nicu", "cot-2", 0))


def on_the_log(settings: Settings) -> list[BaselineAct]:
    """The acts that were asked for."""
    found = []
    for partition in range(settings.partitions):
        for entries in asyncio.run(read_histories(settings, partition)).values():
            found += [entry for entry in entries if isinstance(entry, BaselineAct)]
    return found


def test_a_baseline_is_shown_with_what_staff_did(ask, tmp_path):
    status, page, _ = ask("show", "infant-1")
    assert status == 0
    assert page.startswith("infant-1 · ready")
    assert "learned from" in page
    url = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    store = TimelineStore(url)
    store.write([RESET])
    store.close()
    assert "baseline_reset, nurse-4: <new> lamp" in ask("show", "infant-1", "--timeline", url)[1]
    told = json.loads(ask("show", "infant-1", "--json", "--timeline", url)[1])
    assert (told["heard"], told["acts"][0]["who"]) == (8, "nurse-4")


def test_an_infant_who_has_not_cried_has_an_empty_one(ask):
    assert "no cry yet" in ask("show", "infant-2")[1]


def test_an_act_that_nobody_answers_is_on_the_log_and_says_so(ask, settings):
    status, page, _ = ask("freeze", "infant-2", "--by", "nurse-4", "--because", "fever")
    assert (status, page.startswith("infant-2: it is on the log, but no worker")) == (0, True)
    (act,) = on_the_log(settings)
    assert (act.infant, act.what, act.who, act.why) == (
        "infant-2", "learning_paused", "nurse-4", "fever",
    )  # fmt: skip
    assert ask("unfreeze", "infant-2")[0] == 0
    assert "not yet in it        learning_paused (nurse-4)" in ask("show", "infant-2")[1]
    assert [(act.what, act.who) for act in on_the_log(settings)][1:] == [
        ("learning_resumed", "staff")
    ]


def test_a_roll_back_names_the_last_cries_that_were_learned(ask, settings):
    assert ask("rollback", "infant-1", "--last", "3", "--yes")[0] == 0
    (act,) = on_the_log(settings)
    assert act.segments == ("mon-1@5", "mon-1@6", "mon-1@7")


@pytest.mark.parametrize("arguments", [["reset"], ["rollback", "--last", "2"]])
def test_nothing_is_let_go_unless_somebody_wants_it(ask, settings, arguments, monkeypatch):
    status, _, errors = ask(*arguments, "infant-1")
    assert (status, "give --yes where nobody can be asked" in errors) == (2, True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt="": "n")
    assert ask(*arguments, "infant-1")[0] == 130
    assert on_the_log(settings) == []
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt="": "y")
    assert ask(*arguments, "infant-1")[0] == 0
    assert len(on_the_log(settings)) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["show", "nobody"], 1, "nobody has no baseline and is not admitted; there is: infant-"),
        (["freeze", "A Name"], 1, "infant 'A Name' is not"),
        (["freeze", "gone"], 1, "gone has no baseline"),
        (["freeze", "infant-1", "--by", ""], 1, "who is not of 1 to 128 characters"),
        (["rollback", "infant-1"], 2, "Missing option '--last'"),
        (["rollback", "infant-1", "--last", "0"], 2, "--last"),
        (["rollback", "infant-1", "--last", "9"], 1, "by the last 8 cries learned from at most"),
        (["show", "infant-1", "--timeline", "sqlite:///missing.sqlite3"], 1, "no timeline at"),
    ],
)
def test_a_mistake_is_said_in_one_sentence_and_nothing_is_asked_for(
    ask, settings, arguments, status, said
):
    ended, page, errors = ask(*arguments)
    assert (ended, page) == (status, ""), errors
    assert said in errors.strip().splitlines()[-1]
    assert "Traceback" not in errors
    assert on_the_log(settings) == []


@pytest.mark.parametrize("command", ["show", "freeze", "unfreeze", "reset", "rollback"])
def test_a_shell_is_told_the_infants_of_the_timeline(tmp_path, command):
    url = f"sqlite:///{tmp_path / 'ward.sqlite3'}"
    store = TimelineStore(url)
    store.write([deviation(0), deviation(1, Place("mon-2", "other-2", "nicu", "cot-2"))])
    store.close()
    words = f"vagitus baseline {command} in"
    environment = {"_VAGITUS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "3",
                   "VAGITUS_TIMELINE_URL": url}  # fmt: skip
    program = [sys.executable, "-c", "from streams.cli import main; main()"]
    told = subprocess.run(
        program, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert told.stdout.split() == ["plain,infant-1"]


def test_topics_that_are_missing_or_of_another_count_are_named(vagitus, settings, monkeypatch):
    monkeypatch.setenv("VAGITUS_BROKER", settings.broker)
    monkeypatch.setenv("VAGITUS_TOPIC_PREFIX", "missing.")
    assert "missing.cry-embeddings does not exist" in vagitus("baseline", "show", "i")[2]
    monkeypatch.setenv("VAGITUS_TOPIC_PREFIX", settings.topic_prefix)
    said = vagitus("baseline", "show", "i")[2]
    assert f"has {settings.partitions} partitions, not 32: set VAGITUS_PARTITIONS" in said


def test_an_infants_records_are_where_its_producers_put_them(settings):
    infants = [f"infant-{number}" for number in range(20)]

    async def put() -> list[int]:
        async with Publisher(settings) as publisher:
            acts = [BaselineAct("a", infant, "baseline_reset", 1, "x") for infant in infants]
            topic = asking.CRY_EMBEDDINGS
            sent = [await publisher.send(topic, *act.encode()) for act in acts]
            return [(await record).partition for record in sent]

    assert asyncio.run(put()) == [asking.partition_of(i, settings.partitions) for i in infants]
