"""`vagitus rebuild`: whose baselines, why, and what it would come to; where no worker answers."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer

from streams.baselines.history import read_histories
from streams.commands import rebuild as command
from streams.kafka.topics import BASELINES_TABLE, CRY_EMBEDDINGS, changelog
from streams.play import Publisher
from streams.records.baseline_act import BaselineAct
from streams.records.place import Place
from tests.streams.baselines.test_judging import run, usual

INFANTS = ("good", "old", "lost", "unknown-embedder")


def place(infant: str) -> Place:
    return Place(f"mon-{infant}", infant, "nicu", "cot")


@pytest.fixture
def rebuild(vagitus_there, settings, ward, monkeypatch):
    """`vagitus rebuild` where one baseline is well, one of other rules, and two are not there."""
    monkeypatch.setattr(command, "LOG_PATIENCE_SECONDS", 0.3)
    embedders = dict.fromkeys(INFANTS, ward.embedder_version) | {"unknown-embedder": "identity-0"}
    logs = {
        infant: [usual(ward, n, place=place(infant), embedder_version=embedders[infant])
                 for n in range(8)]
        for infant in INFANTS
    }  # fmt: skip
    good = run(ward, logs["good"])[1]
    rows = {"good": good, "old": replace(good, model=b"of other rules")}
    reset = BaselineAct("r", "old", "baseline_reset", 1_700_000_000_000, "nurse-4")

    async def fill() -> None:
        async with Publisher(settings) as publisher:
            for log in logs.values():
                for entry in log:
                    await publisher.send(CRY_EMBEDDINGS, *entry.encode())
            await publisher.send(CRY_EMBEDDINGS, *reset.encode())
            for n in (20, 21):
                cry = usual(ward, n, place=place("old"), embedder_version=ward.embedder_version)
                await publisher.send(CRY_EMBEDDINGS, *cry.encode())
            nobodys = usual(ward, 1, place=Place("mon-9"))
            await publisher.send(CRY_EMBEDDINGS, *nobodys.encode())
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            for infant, row in rows.items():
                table = changelog(settings, BASELINES_TABLE)
                await producer.send_and_wait(table, row.encode(), key=infant.encode())

    asyncio.run(fill())
    return lambda *arguments: vagitus_there("rebuild", *arguments)


def asked_for(settings) -> set[str]:
    """Whose rebuilds are on the log."""
    found = set()
    for partition in range(settings.partitions):
        for entries in asyncio.run(read_histories(settings, partition)).values():
            acts = [entry for entry in entries if isinstance(entry, BaselineAct)]
            found |= {act.infant for act in acts if act.what == "baseline_rebuilt"}
    return found


def test_a_dry_run_says_whose_why_and_what_it_would_come_to_and_asks_for_nothing(rebuild, settings):
    status, page, _ = rebuild("--dry-run")
    assert status == 0
    assert sorted(page.splitlines()) == [
        "lost: it has cries and no baseline; 8 cries kept; would have learned from 8 of 8 (ready)",
        "old: made by other rules or models; 10 cries kept; would have learned from 2 of 2 "
        "(learning)",
        "unknown-embedder: it has cries and no baseline; 8 cries kept, 8 of another embedder left "
        "out; would have learned from 0 of 0 (learning)",
    ]
    assert asked_for(settings) == set()


def test_those_who_need_it_are_asked_for(rebuild, settings):
    status, page, _ = rebuild("--because", "ward model of May")
    assert status == 0
    assert "3 of 3 are on the log, but no worker has answered yet" in page
    assert asked_for(settings) == {"old", "lost", "unknown-embedder"}


def test_others_only_when_they_are_named_or_all_are_meant(rebuild, settings):
    assert rebuild("--infant", "good", "--dry-run")[1] == (
        "good: as it should be; 8 cries kept; would have learned from 8 of 8 (ready)\n"
    )
    assert rebuild("--infant", "good", "--infant", "old")[0] == 0
    assert asked_for(settings) == {"good", "old"}
    assert rebuild("--all")[0] == 0
    assert asked_for(settings) == set(INFANTS)


def test_where_all_is_well_nothing_is_done(vagitus_there):
    assert vagitus_there("rebuild")[:2] == (0, "Nothing to do: of 0 infants none needs it.\n")


def test_an_infant_of_whom_nothing_is_kept_is_named(rebuild, settings):
    status, _, errors = rebuild("--infant", "nobody", "--infant", "good")
    assert (status, errors) == (
        1, "vagitus: nobody has neither a baseline nor cries that are kept.\n",
    )  # fmt: skip
    assert asked_for(settings) == set()


def test_a_ward_model_that_cannot_be_loaded_is_one_sentence(rebuild, tmp_path, monkeypatch):
    monkeypatch.setenv("VAGITUS_WEIGHTS_DIR", str(tmp_path / "missing"))
    status, _, errors = rebuild()
    assert (status, len(errors.splitlines())) == (1, 1)
    assert errors.startswith("vagitus: The ward model cannot be loaded")
