"""The deviate agent: `cry-embeddings` to `deviations`, with one baseline an infant."""

import faust

from streams.agents.sending import Outgoing, Sender
from streams.baselines import Baselines, StoredBaseline
from streams.errors import RefusedMessage
from streams.metrics import Metrics
from streams.records.cry_embedding import CryEmbedding
from streams.topics import DEVIATIONS


class DeviateAgent:
    """Decodes, asks the infant's baseline, sends, remembers."""

    def __init__(
        self, baselines: Baselines, table: faust.Table, sender: Sender, metrics: Metrics
    ) -> None:
        self._baselines = baselines
        self._table = table
        self._sender = sender
        self._metrics = metrics

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
        # The deviation first: a baseline that is ahead of it would swallow it. Both leave in one
        # breath, so that a kill finds next to no time between them.
        sent = await self._sender.start([Outgoing(DEVIATIONS, key, record.to_json())])
        self._table[key] = stored.encode()
        await self._sender.finish(sent)
        self._metrics.segments.labels("deviated").inc()
        self._metrics.deviation(record)
