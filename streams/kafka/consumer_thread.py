"""The thread that talks to the broker: how it fetches, what it commits, where it begins."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.kafka.gathering import Gathering
from streams.kafka.offsets import Progress

if TYPE_CHECKING:
    from streams.kafka.consumer import HoldingConsumer

# Of a second at 8 kHz: the broker answers at once when it has a whole batch.
CHUNK_BYTES = 16_000


class HoldingConsumerThread(driver.AIOKafkaConsumerThread):
    """Fetches in batches, commits with metadata, and seeks to what was committed."""

    consumer: "HoldingConsumer"

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        # The broker lets records gather: an answer for each would cost more than it brings.
        consumer = super()._create_worker_consumer(transport)
        self._gathering = Gathering(self.consumer.batch_wait_seconds)
        batch = CHUNK_BYTES * self.consumer.batch_chunks
        consumer._fetch_min_bytes = batch
        consumer._max_partition_fetch_bytes = max(batch, consumer._max_partition_fetch_bytes)
        return consumer

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:
        # aiokafka reads it for every request.
        fetcher = self._ensure_consumer()._fetcher
        fetcher._fetch_max_wait_ms = round(1000 * self._gathering.seconds)
        return await super().getmany(active_partitions, timeout)

    async def on_thread_stop(self) -> None:
        # From a fetch that waits for a broker that is away, aiokafka lets its own cancellation out,
        # which would end this thread with a traceback and leave the worker waiting for it.
        with contextlib.suppress(asyncio.CancelledError):
            await super().on_thread_stop()

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        held = self.consumer.held_offsets
        if held.stopped:
            self.log.error("Nothing is committed after a failure: another worker will redo it.")
            return False
        chunks_topic = self.consumer.chunks_topic
        committed: dict[TopicPartition, OffsetAndMetadata] = {}
        assignment = self.assignment()
        try:
            for tp, offset in offsets.items():
                if tp not in assignment:
                    continue
                progress = Progress(offset, offset)
                if tp.topic == chunks_topic:
                    progress = held.progress(tp.partition, offset)
                metadata = progress.metadata if tp.topic == chunks_topic else ""
                key = TopicPartition(tp.topic, tp.partition)
                committed[key] = OffsetAndMetadata(progress.floor, metadata)
            await self._ensure_consumer().commit(committed)
            if any(tp.topic == chunks_topic for tp in committed):
                held.committed()
        except driver.CommitFailedError as error:
            self.log.warning("A commit came too late, the group has rebalanced: %s", error)
            return False
        except Exception as error:
            self.log.exception("A commit failed: %r", error)
            await self.crash(error)
            return False
        return True

    async def seek_to_committed(self) -> Mapping[TP, Progress]:
        return await self.call_thread(self._seek_to_committed)

    async def _seek_to_committed(self) -> Mapping[TP, Progress]:
        consumer = self._ensure_consumer()
        # Faust itself seeks its changelogs.
        partitions = sorted(
            tp for tp in consumer.assignment() if not self.consumer._is_changelog_tp(tp)
        )
        found = await consumer._coordinator.fetch_committed_offsets(partitions)
        commits = {tp: commit for tp, commit in found.items() if commit.offset >= 0}
        # Where nothing is committed aiokafka would go on from where it is; but what was read
        # and not committed must be read again.
        fresh = [tp for tp in partitions if tp not in commits]
        begins = await consumer.beginning_offsets(fresh) if fresh else {}
        sought = {tp: Progress(begins[tp], begins[tp]) for tp in fresh}
        for tp, commit in commits.items():
            sought[tp] = Progress.resume(commit.offset, commit.metadata or "")
        for tp, progress in sought.items():
            consumer.seek(tp, progress.floor)
        return sought
