"""Plays a source into `audio-chunks`, at its own pace, faster, or as fast as it goes."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.errors import BrokerError
from streams.kafka.connection import connection, refusal, unreachable
from streams.kafka.topics import ADMISSIONS, AUDIO_CHUNKS, Topic, no_topic, partition_counts
from streams.records.admission import Admission
from streams.records.audio_chunk import AudioChunk
from streams.settings import Settings
from streams.sources.source import Source

# Sends that may be under way at once; more only fills memory.
MAX_IN_FLIGHT = 512


@dataclass(slots=True)
class Played:
    """What was sent: chunks of each monitor."""

    chunks: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All chunks."""
        return sum(self.chunks.values())


class Publisher:
    """A producer for the topics that come from outside: sound and admissions.

    Use it as an async context manager; everything sent is on the broker when it closes.

    Args:
        settings: where the broker is; kept as `settings`.

    Raises:
        BrokerError: none answers, or one of the topics does not exist. (Many brokers would
            create it when first sent to, and then keep sound for as long as they please.)
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> "Publisher":
        found = await partition_counts(self.settings)
        for topic in (AUDIO_CHUNKS, ADMISSIONS):
            name = topic.name(self.settings)
            if name not in found:
                raise no_topic(self.settings, name)
        self._producer = AIOKafkaProducer(
            **connection(self.settings),
            acks="all",
            enable_idempotence=False,
            linger_ms=5,
            max_request_size=2_000_000,
        )
        try:
            await self._producer.start()
        except (KafkaError, OSError) as error:
            await self._producer.stop()
            raise await unreachable(self.settings, error) from None
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._producer is not None
        await self._producer.stop()

    async def chunk(self, chunk: AudioChunk) -> asyncio.Future:
        """Send one chunk; the returned future is done when the broker has it."""
        key, value, headers = chunk.encode()
        return await self.send(AUDIO_CHUNKS, key, value, headers)

    async def admit(self, admission: Admission) -> None:
        """Put an infant at a monitor; raises BrokerError."""
        await self._place(admission.monitor, admission.to_json())

    async def discharge(self, monitor: str) -> None:
        """Take the infant from a monitor, by a tombstone; raises BrokerError."""
        await self._place(monitor, None)

    async def _place(self, monitor: str, value: bytes | None) -> None:
        try:
            await (await self.send(ADMISSIONS, monitor.encode(), value))
        except KafkaError as error:
            why = refusal(self.settings, error)
            raise BrokerError(f"The broker did not take an admission: {why}.") from None

    async def send(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> asyncio.Future:
        """Send anything; the returned future is done when the broker has it."""
        assert self._producer is not None
        name = topic.name(self.settings)
        return await self._producer.send(name, value=value, key=key, headers=headers or [])


async def play(
    source: Source,
    publisher: Publisher,
    speed: float | None = 1.0,
    on_chunk: Callable[[AudioChunk], None] = lambda chunk: None,
    seconds: float | None = None,
    stop: asyncio.Event | None = None,
) -> Played:
    """Send every chunk of a source at the moment its second has ended.

    Args:
        source: what to play.
        publisher: an open one.
        speed: 1 is real time, 2 twice as fast; None does not wait at all.
        on_chunk: called for each chunk that was handed to the producer.
        seconds: of capture time, after which nothing more is sent; None: to the source's end.
        stop: ends it early, once set.

    Raises:
        SourceError: the source gives no sound.
        BrokerError: the broker did not take a chunk.
    """
    played = Played()
    waiting: set[asyncio.Future] = set()
    began = time.monotonic()
    first_ms: int | None = None
    chunks = source.chunks()
    try:
        # In a thread: a microphone takes a second for each, in which the producer has to send.
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            if first_ms is None:
                first_ms = chunk.captured_at_ms
            since_ms = chunk.captured_at_ms - first_ms
            if seconds is not None and since_ms >= 1000 * seconds:
                break
            if speed is not None:
                due = began + (since_ms + 1000) / 1000 / speed
                await _sleep(max(0.0, due - time.monotonic()), stop)
            if stop is not None and stop.is_set():
                break
            waiting.add(await publisher.chunk(chunk))
            if len(waiting) >= MAX_IN_FLIGHT:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for sent in done:
                    sent.result()
            played.chunks[chunk.monitor] = played.chunks.get(chunk.monitor, 0) + 1
            on_chunk(chunk)
        await asyncio.gather(*waiting)
    except KafkaError as error:
        why = refusal(publisher.settings, error)
        raise BrokerError(f"The broker did not take a chunk: {why}.") from None
    return played


async def _sleep(seconds: float, stop: asyncio.Event | None) -> None:
    """Wait so long, or until `stop` is set."""
    if stop is None:
        await asyncio.sleep(seconds)
        return
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
