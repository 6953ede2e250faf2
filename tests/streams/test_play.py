"""A source is played into the broker: every chunk, in order, at its pace."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams import play as play_module
from streams.errors import BrokerError, SourceError
from streams.kafka.broker import EmbeddedBroker
from streams.kafka.topics import ADMISSIONS, AUDIO_CHUNKS, Topic, partition_counts
from streams.play import MAX_IN_FLIGHT, Played, Publisher, play
from streams.records.admission import Admission
from streams.records.audio_chunk import AudioChunk
from streams.settings import Settings
from streams.sources.files import FileSource
from tests.streams.loudness import arrival

PARTITIONS = 4


class Chunks:
    """A source of seconds that a test can foresee, of monitors that take turns."""

    def __init__(self, seconds: int, monitors: tuple[str, ...] = ("mon-1",), every: float = 1.0):
        self._arrivals = [
            arrival(monitor, every * second, 0.1, 0)
            for second in range(seconds)
            for monitor in monitors
        ]

    def chunks(self):
        return (arrival.chunk for arrival in self._arrivals)


@pytest.fixture
def broker():
    pytest.importorskip("confluent_kafka")
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def settings(broker) -> Settings:
    settings = Settings(broker=broker.address, partitions=PARTITIONS)
    for topic in (AUDIO_CHUNKS, ADMISSIONS):
        broker.create_topic(topic.name(settings), PARTITIONS)
    return settings


def played(settings: Settings, source, **options: object) -> Played:
    async def run() -> Played:
        async with Publisher(settings) as publisher:
            return await play(source, publisher, **options)

    return asyncio.run(run())


def records(settings: Settings, topic: Topic) -> list[ConsumerRecord]:
    """Everything that lies on a topic."""

    async def read() -> list[ConsumerRecord]:
        consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(topic.name(settings), p) for p in range(PARTITIONS)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[ConsumerRecord] = []
            while len(found) < sum(ends.values()):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += batch
            return found
        finally:
            await consumer.stop()

    return asyncio.run(asyncio.wait_for(read(), 30))


def test_every_chunk_arrives_once_and_a_monitor_keeps_its_order(settings):
    monitors = tuple(f"mon-{number}" for number in range(8))
    seconds = MAX_IN_FLIGHT // len(monitors) + 10
    handed = []
    source = Chunks(seconds, monitors)
    result = played(settings, source, speed=None, on_chunk=handed.append)
    assert result == Played(dict.fromkeys(monitors, seconds))
    assert result.total == seconds * len(monitors) > MAX_IN_FLIGHT
    assert handed == list(source.chunks())
    arrived = records(settings, AUDIO_CHUNKS)
    for monitor in monitors:
        own = [r for r in arrived if r.key == monitor.encode()]
        assert len({record.partition for record in own}) == 1
        chunks = [AudioChunk.decode(r.key, r.value, list(r.headers)) for r in own]
        assert chunks == [chunk for chunk in handed if chunk.monitor == monitor]


@pytest.mark.parametrize(
    ("speed", "waits"), [(1.0, [1.0, 2.0, 2.0]), (4.0, [0.25, 0.5, 0.5]), (None, [])]
)
def test_a_chunk_is_sent_when_its_second_has_ended(settings, monkeypatch, speed, waits):
    waited = []
    clock = SimpleNamespace(now=500.0)

    class Asyncio:
        def __getattr__(self, name):
            return getattr(asyncio, name)

        async def sleep(self, seconds):
            waited.append(seconds)
            clock.now += seconds

    monkeypatch.setattr(play_module, "asyncio", Asyncio())
    monkeypatch.setattr(play_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    played(settings, Chunks(3, every=2.0), speed=speed)
    assert waited == pytest.approx(waits)


def test_no_more_is_sent_than_the_seconds_asked_for(settings):
    result = played(settings, Chunks(5, ("mon-1", "mon-2")), speed=None, seconds=2)
    assert result == Played({"mon-1": 2, "mon-2": 2})
    assert len(records(settings, AUDIO_CHUNKS)) == 4


def test_a_play_that_is_stopped_tells_what_it_has_sent(settings):
    async def run() -> Played:
        stop = asyncio.Event()
        async with Publisher(settings) as publisher:
            return await play(Chunks(60), publisher, 50.0, lambda chunk: stop.set(), stop=stop)

    assert asyncio.run(asyncio.wait_for(run(), 30)) == Played({"mon-1": 1})
    assert len(records(settings, AUDIO_CHUNKS)) == 1


def test_what_was_sent_goes_out_while_the_source_takes_its_time(settings):
    arrived = []

    class Slow(Chunks):
        """A source that gives its next second once the last has arrived, as a room would."""

        def chunks(self):
            yield self._arrivals[0].chunk
            deadline = time.monotonic() + 10
            while not arrived and time.monotonic() < deadline:
                arrived.extend(records(settings, AUDIO_CHUNKS))
            yield self._arrivals[1].chunk

    played(settings, Slow(2), speed=None)
    assert len(arrived) == 1


def test_an_admission_lies_at_its_monitor_and_a_discharge_is_a_tombstone(settings):
    admission = Admission("mon-1", "infant-1", "nicu", "cot-1", 7)

    async def publish() -> None:
        async with Publisher(settings) as publisher:
            await publisher.admit(admission)
            await publisher.discharge("mon-1")

    asyncio.run(publish())
    admitted, discharged = records(settings, ADMISSIONS)
    assert (admitted.key, Admission.from_json(admitted.value)) == (b"mon-1", admission)
    assert (discharged.key, discharged.value) == (b"mon-1", None)
    assert admitted.partition == discharged.partition


def test_a_source_without_sound_ends_the_play(settings, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"")
    with pytest.raises(SourceError, match=r"broken\.wav"):
        played(settings, FileSource([broken], 0))


def test_a_chunk_that_the_broker_cannot_take_ends_the_play_in_one_sentence(settings):
    huge = AudioChunk("mon-1", 1, 1_700_000_000_000, 8000, "pcm", bytes(3_000_000))
    with pytest.raises(BrokerError, match=r"did not take a chunk: .+") as error:
        played(settings, SimpleNamespace(chunks=lambda: iter([huge])), speed=None)
    assert "\n" not in str(error.value)


def test_a_broker_that_does_not_answer_is_named():
    with pytest.raises(BrokerError, match=r"No Kafka broker answers at 127\.0\.0\.1:1 "):
        played(Settings(broker="127.0.0.1:1"), Chunks(1))


def test_nothing_is_sent_to_a_topic_that_does_not_exist(broker):
    broker.create_topic("misspelled.audio-chunks", 1)
    settings = Settings(broker=broker.address, topic_prefix="misspelt.")
    with pytest.raises(BrokerError, match=r"misspelt\.audio-chunks does not exist: run `vagitus"):
        played(settings, Chunks(1))
    assert asyncio.run(partition_counts(settings)) == {}
