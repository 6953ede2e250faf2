"""The embed agent: `cry-segments` to `cry-embeddings`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import faust

from models.identity.runtime import CryEmbedder
from streams.agents.sending import Outgoing, Sender
from streams.agents.taking import one_by_one
from streams.errors import RefusedMessage
from streams.hearing.embedding import embed_segment
from streams.kafka.topics import CRY_EMBEDDINGS
from streams.metrics.shown import Metrics
from streams.records.cry_segment import CrySegment


class EmbedAgent:
    """Decodes, calls the embedder, sends."""

    def __init__(self, embedder: CryEmbedder, sender: Sender, metrics: Metrics) -> None:
        self._embedder = embedder
        self._sender = sender
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="embed")

    async def run(self, stream: faust.Stream) -> None:
        """Consume the stream until the worker stops."""
        async for event in one_by_one(stream):
            try:
                await self._segment(event.message)
            except Exception as error:
                await self._sender.fail("embed", error)

    async def _segment(self, message: faust.types.Message) -> None:
        loop = asyncio.get_running_loop()
        try:
            segment = CrySegment.decode(message.key, message.value, message.headers)
            with self._metrics.inference.labels(self._embedder.version).time():
                embedding = await loop.run_in_executor(
                    self._pool, embed_segment, self._embedder, segment
                )
        except RefusedMessage as error:
            await self._sender.bury([(error, message)])
            return
        key, value, headers = embedding.encode()
        await self._sender.send([Outgoing(CRY_EMBEDDINGS, key, value, headers)])
        self._metrics.segments.labels("embedded").inc()
