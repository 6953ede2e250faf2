"""The deviate agent: `cry-embeddings` to `deviations`, with one baseline an infant."""

import faust

from streams.agents.sending import Outgoing, Sender
from streams.baselines import Baselines, StoredBaseline
from streams.errors import RefusedMessage
from streams.metrics import Metrics
from streams.records.cry_embedding import CryEmbedding
from streams.said import segments_said
from streams.settings import Settings
from streams.topics import DEVIATIONS


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

    async def run(self, stream: faust.Stream) -> None:
        """Consume the stream until the worker stops."""
        async for event in stream.events():
            try:
                await self._embedding(event.message)
            except Exception as error:
                await self._sender.fail("deviate", error)

    async def _embedding(self, message: faust.types.Message) -> None:
        try:
            embedding = CryEmbedding.decode(message.key, message.value, message.headers)
            key = embedding.place.key
            stored = StoredBaseline.decode(self._table.get(key))
            if embedding.segment_id in stored.applied:
                self._metrics.segments.labels("repeated").inc()
                return
            record, stored = self._baselines.observe(embedding, stored)
        except RefusedMessage as error:
            await self._sender.bury([(error, message)])
            return
        # The deviation first: a baseline that is ahead of it would swallow it. It lies where its
        # embedding lay, so that whoever reads on here finds it.
        partition = message.partition
        said = embedding.segment_id in await self._said_before(message)
        news = [] if said else [Outgoing(DEVIATIONS, key, record.to_json(), partition=partition)]
        sent = await self._sender.start(news)
        self._table[key] = stored.encode()
        await self._sender.finish(sent)
        self._metrics.segments.labels("deviated").inc()
        self._metrics.deviation(record)

    async def _said_before(self, message: faust.types.Message) -> set[str]:
        """The segments whose deviations were said before this partition came to this worker."""
        generation, said = self._said.get(message.partition, (None, set()))
        if generation != message.generation_id:
            said = await segments_said(self._settings, message.partition)
            self._said[message.partition] = (message.generation_id, said)
        return said
