"""Who lies at which monitor, in memory and as every worker reads it from the broker."""

import asyncio

import pytest

from streams.admissions import Admissions, AdmissionsReader, read_admissions
from streams.errors import BrokerError, RefusedMessage
from streams.kafka.broker import EmbeddedBroker
from streams.kafka.topics import ADMISSIONS, AUDIO_CHUNKS
from streams.play import Publisher
from streams.records.admission import Admission
from streams.records.place import Place
from streams.settings import Settings

PARTITIONS = 4
WAIT_SECONDS = 30


def admission(monitor: str = "mon-1", infant: str = "infant-1", since: int = 0) -> Admission:
    return Admission(monitor, infant, "nicu", f"cot-{infant}", since)


def test_sound_is_the_infants_from_its_admission_on():
    admissions = Admissions([admission(since=1000)])
    assert admissions.place("mon-1", 999) == Place("mon-1")
    assert admissions.place("mon-1", 1000) == Place("mon-1", "infant-1", "nicu", "cot-infant-1")
    assert admissions.place("mon-2", 1000) == Place("mon-2")


def test_the_next_infant_takes_the_place_of_the_one_before():
    admissions = Admissions([admission()])
    admissions.admit(admission(infant="infant-2"))
    assert admissions.place("mon-1", 0).infant == "infant-2"
    assert [a.infant for a in admissions] == ["infant-2"]


def test_a_discharge_says_whom_it_ended_once():
    admissions = Admissions([admission()])
    assert admissions.discharge("mon-1") == admission()
    assert admissions.discharge("mon-1") is None
    assert not admissions.place("mon-1", 0).assigned


@pytest.fixture
def settings():
    pytest.importorskip("confluent_kafka")
    with EmbeddedBroker() as broker:
        settings = Settings(broker=broker.address, partitions=PARTITIONS)
        for topic in (ADMISSIONS, AUDIO_CHUNKS):
            broker.create_topic(topic.name(settings), PARTITIONS)
        yield settings


class Followed:
    """A reader with all that it said."""

    def __init__(self, settings: Settings) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.reader = AdmissionsReader(settings, self._note("admit"), self._note("discharge"))

    def _note(self, what: str):
        return lambda admission: self.said.append((what, admission.monitor, admission.infant))

    async def until(self, monitor: str, infant: str) -> None:
        while self.reader.admissions.place(monitor, 0).infant != infant:
            await asyncio.sleep(0.05)


async def follow(settings: Settings, before, after) -> Followed:
    """Do `before`, start a reader and let it catch up, do `after(publisher, followed)`."""
    followed = Followed(settings)
    async with asyncio.timeout(WAIT_SECONDS), Publisher(settings) as publisher:
        await before(publisher)
        following = asyncio.create_task(followed.reader.run())
        await followed.reader.caught_up.wait()
        await after(publisher, followed)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return followed


def test_a_worker_that_starts_knows_everybody_once_it_has_caught_up(settings):
    async def before(publisher):
        for number in range(10):
            await publisher.admit(admission(f"mon-{number}", f"infant-{number}"))
        await publisher.discharge("mon-3")
        await publisher.admit(admission("mon-4", "infant-44"))

    async def after(publisher, followed):
        expected = {f"infant-{n}" for n in (0, 1, 2, 5, 6, 7, 8, 9, 44)}
        assert {a.infant for a in followed.reader.admissions} == expected

    asyncio.run(follow(settings, before, after))


def test_an_empty_topic_is_caught_up_with_and_then_followed(settings):
    async def before(publisher):
        pass

    async def after(publisher, followed):
        assert list(followed.reader.admissions) == []
        await publisher.admit(admission())
        await followed.until("mon-1", "infant-1")
        await publisher.admit(admission(infant="infant-2"))
        await followed.until("mon-1", "infant-2")
        await publisher.discharge("mon-1")
        await followed.until("mon-1", "")
        await publisher.discharge("mon-1")
        await publisher.admit(admission("mon-2"))
        await followed.until("mon-2", "infant-1")

    assert asyncio.run(follow(settings, before, after)).said == [
        ("admit", "mon-1", "infant-1"),
        ("discharge", "mon-1", "infant-1"),
        ("admit", "mon-1", "infant-2"),
        ("discharge", "mon-1", "infant-2"),
        ("admit", "mon-2", "infant-1"),
    ]


def test_what_changed_while_the_broker_was_away_is_said_once_it_is_back(settings):
    followed = Followed(settings)
    for monitor in ("mon-1", "mon-2", "mon-3"):
        followed.reader.admissions.admit(admission(monitor, f"infant-{monitor}"))

    async def catch_up() -> None:
        async with asyncio.timeout(WAIT_SECONDS), Publisher(settings) as publisher:
            await publisher.admit(admission("mon-1", "infant-mon-1"))
            await publisher.admit(admission("mon-2", "infant-before"))
            await publisher.admit(admission("mon-2", "infant-now"))
            following = asyncio.create_task(followed.reader.run())
            await followed.reader.caught_up.wait()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    asyncio.run(catch_up())
    assert sorted(followed.said) == [
        ("admit", "mon-2", "infant-now"),
        ("discharge", "mon-2", "infant-mon-2"),
        ("discharge", "mon-3", "infant-mon-3"),
    ]
    assert {a.infant for a in followed.reader.admissions} == {"infant-mon-1", "infant-now"}


def test_an_admission_under_another_monitor_s_key_is_refused():
    admissions = Admissions()
    with pytest.raises(RefusedMessage, match="the key names 'mon-2'"):
        admissions.apply(b"mon-2", admission("mon-1").to_json())
    assert list(admissions) == []


def test_admissions_are_read_once_by_commands(settings):
    async def read() -> dict[str, Admission]:
        async with Publisher(settings) as publisher:
            await publisher.admit(admission("mon-1"))
            await publisher.admit(admission("mon-2", "infant-2"))
            await publisher.discharge("mon-1")
            await publisher.send(ADMISSIONS, b"mon-3", b"no JSON")
        return await read_admissions(settings)

    assert asyncio.run(read()) == {"mon-2": admission("mon-2", "infant-2")}
    with pytest.raises(BrokerError, match="does not exist"):
        asyncio.run(read_admissions(settings.model_copy(update={"topic_prefix": "other."})))


@pytest.mark.parametrize(
    "value",
    [
        b"no JSON",
        b"[]",
        b'{"monitor": "mon-1"}',
        b'{"monitor":"mon-1","infant":"a b","ward":"w","bed":"b","admitted_at_ms":0}',
        b'{"monitor":["mon-1"],"infant":"i","ward":"w","bed":"b","admitted_at_ms":0}',
        b'{"monitor":"mon-1","infant":"i","ward":"w","bed":"b","admitted_at_ms":"today"}',
    ],
)
def test_an_unreadable_admission_is_passed_over_and_changes_nothing(value):
    followed = Followed(Settings())
    followed.reader._apply(b"mon-1", admission().to_json())
    followed.reader._apply(b"mon-1", value)
    followed.reader._apply(b"\xff", None)
    followed.reader._apply(None, None)
    assert [a.infant for a in followed.reader.admissions] == ["infant-1"]
    assert followed.said == [("admit", "mon-1", "infant-1")]


def test_a_broker_that_is_away_is_tried_again(monkeypatch, caplog):
    monkeypatch.setattr("streams.admissions.RETRY_SECONDS", 0.01)
    reader = AdmissionsReader(Settings(broker="127.0.0.1:1"))

    async def wait() -> None:
        running = asyncio.create_task(reader.run())
        while caplog.text.count("trying again") < 2:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(wait(), WAIT_SECONDS))
    assert not reader.caught_up.is_set()
