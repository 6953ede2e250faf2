"""The deviate agent: `cry-embeddings` to `deviations`, with one baseline an infant.

Among the cries lie acts of staff; what comes of them goes to `acts`. While one infant's log is gone
through again, other infants' cries are dealt with.
"""

import asyncio
import logging

import faust

from models.deviation.state import StateError
from streams.agents.lanes import Lanes
from streams.agents.sending import Outgoing, Sender
from streams.baselines.acting import apply_act, instead, made_anew, needs_history
from streams.baselines.history import read_histories
from streams.baselines.judging import Baselines, Entry
from streams.baselines.said import segments_said
from streams.errors import RefusedMessage
from streams.kafka.topics import ACTS, DEVIATIONS, Topic
from streams.metrics.shown import BaselineFigures, Metrics
from streams.records.baseline_act import BaselineAct, is_act
from streams.records.cry_embedding import CryEmbedding
from streams.records.stored_baseline import StoredBaseline
from streams.settings import Settings
from streams.timeline.acts import Act

logger = logging.getLogger(__name__)


class DeviateAgent:
    """Decodes, asks the infant's baseline, sends, remembers."""

    def __init__(
        self,
        baselines: Baselines,
        table: faust.Table,
        sender: Sender,
        metrics: Metrics,
        settings: Settings,
    ) -> None:
        self._baselines = baselines
        self._table = table
        self._sender = sender
        self._metrics = metrics
        self._settings = settings
        # By partition: the generation in which it was read, and what had been said before.
        self._said: dict[int, tuple[int, set[str]]] = {}
        # Logs are long: a ward's baselines that are all made anew wait for one another.
        self._one_replay = asyncio.Semaphore(1)

    def figures(self, infant: str) -> BaselineFigures | None:
        """What is known of an infant's baseline; None of one that these rules cannot go on with."""
        stored = StoredBaseline.decode(self._table.get(infant.encode()))
        summary = self._baselines.summary(infant, stored)
        if summary is None:
            return None
        since_ms = stored.pause.since_ms if stored.pause else None
        return BaselineFigures(summary.accepted, summary.drift_sigma, summary.drifting, since_ms)

    async def run(self, stream: faust.Stream) -> None:
        """Consume the stream until the worker stops."""
        await Lanes().run(stream, self._message)

    async def _message(self, message: faust.types.Message, long: asyncio.Event) -> None:
        try:
            await (self._act if is_act(message.headers) else self._embedding)(message, long)
        except RefusedMessage as error:
            await self._sender.bury([(error, message)])
        except Exception as error:
            await self._sender.fail("deviate", error)

    async def _embedding(self, message: faust.types.Message, long: asyncio.Event) -> None:
        embedding = CryEmbedding.decode(message.key, message.value, message.headers)
        key = embedding.place.key
        stored = StoredBaseline.decode(self._table.get(key))
        if _is_repeated(message, embedding.segment_id, stored):
            self._metrics.segments.labels("repeated").inc()
            return
        news, anew = [], False
        try:
            record, stored = self._baselines.observe(embedding, stored)
        except StateError as error:
            long.set()
            stored, told = await self._made_anew(embedding, stored, message, error)
            news.append(_beside(message, ACTS, key, told.to_json()))
            record, stored = self._baselines.observe(embedding, stored)
            anew = True
        if embedding.segment_id not in await self._said_before(message):
            news.append(_beside(message, DEVIATIONS, key, record.to_json()))
        await self._remember(message, key, stored, news)
        self._metrics.segments.labels("deviated").inc()
        self._metrics.decided(record)
        if anew:  # nothing could be said of the one before
            self._metrics.baseline(record.infant)

    async def _act(self, message: faust.types.Message, long: asyncio.Event) -> None:
        act = BaselineAct.decode(message.key, message.value, message.headers)
        stored = StoredBaseline.decode(self._table.get(act.key))
        if _is_repeated(message, act.id, stored):
            return
        if needs_history(act):
            long.set()
            async with self._one_replay:
                history = await self._history(act.key, message)
                outcome = await asyncio.to_thread(apply_act, self._baselines, act, stored, history)
        else:
            outcome = apply_act(self._baselines, act, stored)
        news = [_beside(message, ACTS, act.key, act.told(outcome.said).to_json())]
        await self._remember(message, act.key, outcome.stored, news)
        logger.info("%s for %s: %s", act.what, act.infant, outcome.said)
        self._metrics.act(act.what, outcome.applied, act.infant)

    async def _remember(
        self,
        message: faust.types.Message,
        key: bytes,
        stored: StoredBaseline,
        news: list[Outgoing],
    ) -> None:
        # What is said first: a row that is ahead of it would swallow it.
        sent = await self._sender.start(news)
        self._table[key] = stored.having_reached(*_position(message)).encode()
        await self._sender.finish(sent)

    async def _made_anew(
        self,
        embedding: CryEmbedding,
        stored: StoredBaseline,
        message: faust.types.Message,
        error: StateError,
    ) -> tuple[StoredBaseline, Act]:
        """A row instead of one that these rules cannot go on with, and what to say of that."""
        async with self._one_replay:
            history = await self._history(embedding.place.key, message)
            anew = await asyncio.to_thread(self._baselines.replay, history, stored.pause)
        told = made_anew(embedding, stored, anew, str(error))
        logger.warning("%s: %s (%s)", told.infant, told.outcome, error)
        return instead(stored, anew), told

    async def _history(self, key: bytes, message: faust.types.Message) -> list[Entry]:
        found = await read_histories(self._settings, message.partition, key, message.offset)
        return found.get(key, [])

    async def _said_before(self, message: faust.types.Message) -> set[str]:
        """The segments whose deviations were said before this partition came to this worker."""
        generation, said = self._said.get(message.partition, (None, set()))
        if generation != message.generation_id:
            said = await segments_said(self._settings, message.partition)
            self._said[message.partition] = (message.generation_id, said)
        return said


def _beside(message: faust.types.Message, topic: Topic, key: bytes, value: bytes) -> Outgoing:
    """What is said of a message lies where it lay, so that whoever reads on there finds it."""
    return Outgoing(topic, key, value, partition=message.partition)


def _position(message: faust.types.Message) -> tuple[int, int]:
    """Where in the log a message lies, and when it was sent, ms since 1970 UTC."""
    return message.offset, round(1000 * (message.timestamp or 0))


def _is_repeated(message: faust.types.Message, name: str, stored: StoredBaseline) -> bool:
    return stored.has_passed(*_position(message)) or name in stored.applied
