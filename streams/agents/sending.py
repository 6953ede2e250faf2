"""Sending from an agent: waited for, so that nothing is committed before it is on the broker."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import faust

from streams.errors import RefusedMessage
from streams.metrics import Metrics
from streams.offsets import HeldOffsets
from streams.records.dead_letter import DeadLetter
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, Topic

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

    async def send(self, messages: Iterable[Outgoing]) -> None:
        """Send, and wait until the broker has all of them; raises what the broker says."""
        producer = await self._app.maybe_start_producer()
        waiting = [
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
        await asyncio.gather(*waiting)

    async def bury(self, error: RefusedMessage, message: faust.types.Message) -> None:
        """Send one message to the dead letters, count it and say so in the log."""
        letter = DeadLetter.of(
            error,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            key=message.key,
            value=message.value,
        )
        key, value, headers = letter.encode()
        await self.send([Outgoing(DEAD_LETTERS, key, value, headers)])
        self._metrics.dead_letters.labels(error.refusal.value).inc()
        logger.warning(
            "Refused (%s): %s, partition %d, offset %d: %s",
            error.refusal.value, message.topic, message.partition, message.offset, error,
        )  # fmt: skip

    async def fail(self, agent: str, error: Exception) -> None:
        """Stop this worker without committing: whoever takes over does the work again."""
        self._held.stop_commits()
        logger.critical("%s failed, the worker stops: %r", agent, error, exc_info=error)
        await self._app.crash(error)
