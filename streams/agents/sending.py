"""What agents do with the broker beside reading.

Sending is waited for, so that nothing is committed before it is on the broker.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import faust
from aiokafka import ConsumerRecord

from streams.errors import RefusedMessage
from streams.kafka.offsets import HeldOffsets
from streams.kafka.topics import DEAD_LETTERS, SOUND, Topic
from streams.metrics.shown import Metrics
from streams.records.dead_letter import DeadLetter
from streams.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to be sent; without a `partition` the key decides."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] | None = None
    partition: int | None = None


class Sender:
    """Sends an agent's messages, its dead letters, and stops the worker when that fails."""

    def __init__(
        self, app: faust.App, settings: Settings, metrics: Metrics, held: HeldOffsets
    ) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._held = held
        self._sound = {topic.name(settings) for topic in SOUND}

    async def send(self, messages: Iterable[Outgoing]) -> None:
        """Send, and wait until the broker has all of them; raises what the broker says."""
        await asyncio.gather(*await self.start(messages))

    async def start(self, messages: Iterable[Outgoing]) -> list[asyncio.Future]:
        """Hand messages to the producer; each future is done when the broker has its message."""
        producer = await self._app.maybe_start_producer()
        return [
            await producer.send(
                message.topic.name(self._settings),
                message.key,
                message.value,
                message.partition,
                None,
                message.headers,
            )
            for message in messages
        ]

    async def finish(self, sent: list[asyncio.Future]) -> None:
        """Push out all that was handed over, table changes too, and wait until it is there."""
        await self._app.producer.flush()
        await asyncio.gather(*sent)

    async def bury(
        self, refused: Sequence[tuple[RefusedMessage, faust.types.Message | ConsumerRecord]]
    ) -> None:
        """Send messages to the dead letters, count each and say so in the log."""
        letters = [
            DeadLetter.of(
                error,
                topic=message.topic,
                partition=message.partition,
                offset=message.offset,
                key=message.key,
                value=message.value,
                headers=message.headers,
                sound=message.topic in self._sound,
            )
            for error, message in refused
        ]
        if letters:
            await self.send([Outgoing(DEAD_LETTERS, *letter.encode()) for letter in letters])
        for letter in letters:
            self._metrics.dead_letters.labels(letter.refusal.value).inc()
            logger.warning(
                "Refused (%s): %s, partition %d, offset %d: %s",
                letter.refusal.value, letter.topic, letter.partition, letter.offset, letter.detail,
            )  # fmt: skip

    @property
    def listening(self) -> bool:
        """Whether records are read: not during a rebalance."""
        return self._app.flow_control.is_active()

    def highwater(self, tp: faust.types.TP) -> int | None:
        """The end of a partition, as far as the consumer knows it."""
        return self._app.consumer.highwater(tp)

    async def fail(self, agent: str, error: Exception) -> None:
        """Stop this worker without committing: whoever takes over does the work again."""
        self._held.stop_commits()
        logger.critical("%s failed, the worker stops: %r", agent, error, exc_info=error)
        await self._app.crash(error)
