"""The check-up: each thing that can be wrong is found, and said with what to do about it."""

import asyncio
import threading
import time
from contextlib import contextmanager

import pytest
from aiokafka import AIOKafkaProducer

from streams.doctor import Finding, examine
from streams.kafka.broker import EmbeddedBroker
from streams.kafka.topics import topic_configs
from streams.play import Publisher
from streams.settings import Settings
from tests.streams.loudness import arrival

PARTITIONS = 4
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def broker():
    pytest.importorskip("confluent_kafka")
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def settings(broker) -> Settings:
    return Settings(broker=broker.address, partitions=PARTITIONS)


def create_topics(broker: EmbeddedBroker, settings: Settings, **partitions: int) -> None:
    """Create what a worker needs; `partitions` of some, by short name, None to leave one out."""
    for name in topic_configs(settings):
        count = partitions.get(name.removeprefix("vagitus."), PARTITIONS)
        if count:
            broker.create_topic(name, count)


def send_heard_ago(settings: Settings, *seconds: float) -> None:
    """Send a chunk of each of some monitors, whose second ended this long ago by its clock."""

    async def send() -> None:
        async with Publisher(settings) as publisher:
            for number, ago in enumerate(seconds):
                start_ms = round(1000 * (time.time() - 1 - ago))
                await publisher.chunk(arrival(f"mon-{number}", 0, 0.1, 0, start_ms=start_ms).chunk)

    asyncio.run(send())


def examined(settings: Settings) -> dict[str, Finding]:
    return {finding.what: finding for finding in asyncio.run(examine(settings))}


def failing(settings: Settings) -> dict[str, Finding]:
    found = {what: finding for what, finding in examined(settings).items() if not finding.good}
    assert all(finding.advice for finding in found.values())
    return found


def test_where_all_is_well_nothing_fails(broker, settings):
    create_topics(broker, settings)
    send_heard_ago(settings, 0.0)
    found = examined(settings)
    expected = ["models", "broker", *topic_configs(settings), "topic settings", "clock"]
    assert list(found) == expected
    assert [finding for finding in found.values() if not finding.good] == []
    assert "identity-" in found["models"].detail
    assert settings.broker in found["broker"].detail
    assert found["clock"].detail == "not compared with this one: no monitor sends now"
    assert found["vagitus.deviations"].detail == "4 partitions"


def test_without_a_broker_the_rest_is_left_out(settings):
    found = examined(Settings(broker=NOWHERE))
    assert list(found) == ["models", "broker"]
    assert (found["models"].good, found["broker"].good) == (True, False)
    assert NOWHERE in found["broker"].detail
    assert "VAGITUS_BROKER" in found["broker"].advice


def test_models_that_are_missing_are_said_beside_the_rest(broker, tmp_path):
    settings = Settings(broker=broker.address, partitions=PARTITIONS, weights_dir=tmp_path)
    create_topics(broker, settings)
    found = failing(settings)
    assert list(found) == ["models"]
    assert "cry-features.onnx is missing" in found["models"].detail
    assert "VAGITUS_WEIGHTS_DIR" in found["models"].advice


def test_a_topic_that_is_missing_or_split_otherwise_is_named(broker, settings):
    create_topics(broker, settings, deviations=3, admissions=0)
    found = failing(settings)
    assert list(found) == ["vagitus.deviations", "vagitus.admissions"]
    missing, other = found["vagitus.admissions"], found["vagitus.deviations"]
    assert (missing.detail, missing.advice) == ("does not exist", "run `vagitus topics create`")
    assert other.detail == f"3 partitions, the setting says {PARTITIONS}"
    assert "VAGITUS_PARTITIONS=3" in other.advice


def test_a_broker_without_any_topic_is_examined_too_and_left_as_it_is(broker, settings):
    for _ in range(2):
        assert list(failing(settings)) == list(topic_configs(settings))
    assert examined(settings)["clock"].detail == "not compared: there is no sound"


@pytest.mark.parametrize(
    ("ago", "off"), [((0.0, 60.0, 5.0), "monitor mon-1 is off by -60"),
                     ((0.0, -3.9), "monitor mon-1 is off by +3"), ((1.0, -1.0), None)]
)  # fmt: skip
def test_a_monitor_whose_clock_is_wrong_is_named(broker, settings, ago, off):
    create_topics(broker, settings)
    send_heard_ago(settings, *ago)
    found = failing(settings)
    assert list(found) == (["clock"] if off else [])
    if off:
        assert found["clock"].detail.startswith(off)
        assert "NTP" in found["clock"].advice


@contextmanager
def sending(settings: Settings, *behind: float):
    """Monitors that send all the time, and stamp what they send by clocks that are behind."""
    ended = threading.Event()

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            while not ended.is_set():
                for number, seconds in enumerate(behind):
                    began_ms = round(1000 * (time.time() - 1 - seconds))
                    chunk = arrival(f"mon-{number}", 0, 0.1, 0, start_ms=began_ms).chunk
                    key, value, headers = chunk.encode()
                    name = f"{settings.topic_prefix}audio-chunks"
                    await producer.send_and_wait(
                        name, value, key, headers=headers, timestamp_ms=began_ms + 1000
                    )
                await asyncio.sleep(0.2)

    thread = threading.Thread(target=asyncio.run, args=(send(),))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_monitor_that_stamps_by_its_own_wrong_clock_is_named(broker, settings):
    create_topics(broker, settings)
    with sending(settings, 0.0, 60.0):
        found = failing(settings)
    assert list(found) == ["clock"]
    assert found["clock"].detail.startswith("monitor mon-1 is off by -6")


@pytest.mark.parametrize(("monitors", "said"), [(1, "1 monitor"), (2, "2 monitors")])
def test_with_how_many_monitors_the_clock_agrees_is_said(broker, settings, monitors, said):
    create_topics(broker, settings)
    with sending(settings, *[0.0] * monitors):
        found = examined(settings)["clock"]
    assert (found.good, found.detail) == (True, f"agrees with what comes from {said}")


def test_only_the_newest_chunk_of_a_partition_speaks_of_clocks(broker, settings):
    create_topics(broker, settings)
    send_heard_ago(settings, 60.0)
    send_heard_ago(settings, 0.0)
    assert failing(settings) == {}


def test_a_machine_that_is_behind_its_monitors_is_told(broker, settings, monkeypatch):
    create_topics(broker, settings)
    send_heard_ago(settings, 0.0)
    now = time.time()
    monkeypatch.setattr("streams.doctor.time.time", lambda: now - 60.9)
    found = failing(settings)["clock"]
    assert found.detail.startswith("this machine is 60")


def test_the_command_fails_where_a_line_does_and_shows_its_advice(vagitus):
    status, page, _ = vagitus("doctor", "--broker", NOWHERE)
    lines = page.splitlines()
    assert status == 1
    assert [line.split()[:2] for line in lines] == [
        ["ok", "models:"], ["FAIL", "broker:"], ["→", "start"],
    ]  # fmt: skip


def test_the_command_succeeds_where_every_line_does(vagitus, broker, settings, monkeypatch):
    create_topics(broker, settings)
    monkeypatch.setenv("VAGITUS_PARTITIONS", str(PARTITIONS))
    status, page, _ = vagitus("doctor", "--broker", broker.address)
    assert status == 0
    assert {line.split()[0] for line in page.splitlines()} == {"ok"}


def test_a_database_and_an_alertmanager_that_are_away_are_found_whatever_the_broker(
    alertmanager, tmp_path
):
    url = alertmanager.urls["alertmanager"]
    there = Settings(broker=NOWHERE, state_dir=tmp_path, alertmanager_url=url)
    assert set(failing(there)) == {"broker"}
    away = there.model_copy(
        update={
            "timeline_url": f"postgresql://nobody@{NOWHERE}/vagitus",
            "alertmanager_url": f"http://{NOWHERE}",
        }
    )
    assert set(failing(away)) == {"timeline", "alertmanager", "broker"}
