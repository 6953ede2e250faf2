"""Faust's consumer, made safe where its rebalance loses or stalls, and holding back commits.

What stock faust-streaming 0.15.3 does, and what is done about it here (seen when members join,
leave and freeze under load; its issues 318, 502 and 606):

- Partitions resume before the seek to the committed offset has finished, so that records from
  the old position slip in: every record is compared with the one expected, and a jump ahead is
  answered with a seek back. Records from before a seek may come several times, each further on;
  a jump to the very same record again and again is a real gap (an expired or control record).
- A record fetched before that seek and taken after it would pass for the first one where nothing
  was committed yet, and those before it be dropped: nothing is handed on before the start is known.
- A record that was handed on while the flow stops is lost in a queue, and the commits pass over
  it: here a commit ends before the first record that was not acknowledged, and whenever the flow
  has stopped, reading begins there again.
- Its own bookkeeping of acknowledgements, gaps and read offsets survives a seek, which drops
  records or stalls the commits for ever: it is left aside.
- On revocation the acknowledgements are dropped before the last commit: it commits first here.

Commits of `audio-chunks` go through `HeldOffsets`, which knows what is still needed. Its records
are handed on in batches, each as one message: Faust takes as long for a message as the detector
for a second of sound.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

from aiokafka import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from mode.utils.futures import notify

from streams.kafka.batch import ChunkBatch, cut
from streams.kafka.consumer_thread import HoldingConsumerThread
from streams.kafka.offsets import Acknowledged, HeldOffsets
from streams.kafka.topics import AUDIO_CHUNKS
from streams.settings import Settings

# So often must the same jump follow a seek back before it is believed.
SAME_JUMPS = 3
# One is scored while the next one waits: more would only lie in memory.
BATCHES_UNDER_WAY = 2


class HoldingConsumer(driver.Consumer):
    """The consumer of a Vagitus worker; made by `transport_class`."""

    held_offsets: HeldOffsets
    chunks_topic: str
    batch_chunks: int
    batch_wait_seconds: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acknowledged = Acknowledged()
        self._fetched: dict[TP, Sequence[ConsumerRecord]] = {}
        self._fetched_in = 0  # the generation then
        self._under_way: set[ChunkBatch] = set()
        self._room = asyncio.Event()
        self._expected: dict[TP, int] = {}
        self._jumps: dict[TP, tuple[tuple[int, int], int]] = {}
        self._stale: set[TP] = set()

    def _new_consumer_thread(self) -> HoldingConsumerThread:
        return HoldingConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        for tp, progress in (await self.seek_to_committed()).items():
            self.acknowledged.begin(tp, progress.floor)
            self._expected[tp] = progress.floor
            self._read_offset[tp] = None  # else Faust drops what it has read before
            self._stale.discard(tp)
            if tp.topic == self.chunks_topic:
                self.held_offsets.resume(tp.partition, progress)

    def stop_flow(self) -> None:
        # What was handed on and not yet taken is cleared from the queues.
        super().stop_flow()
        self._stale.update(self._expected)
        self._under_way.clear()

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        await self._seek_stale()
        skipped: set[TP] = set()
        async for tp, message in super().getmany(timeout):
            if self._is_changelog_tp(tp):
                yield tp, message
            elif tp not in skipped:
                if await self._is_due(tp, message.offset):
                    self._expected[tp] = message.offset + 1
                    yield tp, message
                elif message.offset >= self._expected.get(tp, 0):
                    skipped.add(tp)
        async for batch in self._batches():
            yield batch.tp, batch

    async def _wait_next_records(self, timeout: float) -> tuple[Any, set[TP] | None]:
        records, active = await super()._wait_next_records(timeout)
        chunks = [tp for tp in records or () if tp.topic == self.chunks_topic]
        fetched = {tp: records.pop(tp) for tp in chunks}
        self._fetched = {tp: fetched[tp] for tp in chunks if tp in active}
        self._fetched_in = self.app.consumer_generation_id
        return records, active

    async def _batches(self) -> AsyncIterator[ChunkBatch]:
        fetched, self._fetched = self._fetched, {}
        generation = self._fetched_in
        due = {tp: await self._all_due(tp, records) for tp, records in fetched.items()}
        for tp in due:
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            # By this Faust knows whether a partition's records are taken.
            self.app.monitor.stream_inbound_time[tp] = monotonic()
        for part in cut(due, self.batch_chunks):
            await self._wait_for_room()
            if (
                self._stale.intersection(part)
                or generation != self.app.consumer_generation_id
                or not (self.flow_active and self.app.flow_control.is_active())
            ):
                self._stale.update(due)
                return
            for tp, records in part.items():
                self.held_offsets.began(tp.partition, records[0].offset)
            batch = ChunkBatch(part, generation)
            self._under_way.add(batch)
            yield batch

    async def _all_due(self, tp: TP, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        """Those that are due, in order; all of them, nearly always."""
        due: list[ConsumerRecord] = []
        for record in records:
            if await self._is_due(tp, record.offset):
                self._expected[tp] = record.offset + 1
                due.append(record)
            elif record.offset >= self._expected.get(tp, 0):
                break
        return due

    async def _wait_for_room(self) -> None:
        while len(self._under_way) >= BATCHES_UNDER_WAY and self.flow_active:
            self._room.clear()
            await self.wait_first(self._room.wait(), self.suspend_flow.wait())
            if self.should_stop:
                return

    async def _seek_stale(self) -> None:
        if not (self._stale and self.flow_active and self.app.flow_control.is_active()):
            return
        for tp in list(self._stale):
            self._stale.discard(tp)
            offset = self.acknowledged.again(tp)
            if offset is not None and tp in self.assignment():
                self._expected[tp] = offset
                await self.seek(tp, offset)

    async def _is_due(self, tp: TP, offset: int) -> bool:
        expected = self._expected.get(tp)
        if expected is None or tp in self._stale or not self.app.flow_control.is_active():
            # Nobody takes it now, or it is not the first one to be taken.
            self._stale.add(tp)
            return False
        if offset == expected:
            return True
        if offset < expected:
            return False  # was handed on before
        seen, times = self._jumps.get(tp, ((expected, offset), 0))
        times = times + 1 if seen == (expected, offset) else 1
        if times >= SAME_JUMPS:
            del self._jumps[tp]
            self.log.warning("%r has no records from %r to %r", tp, expected, offset - 1)
            self.acknowledged.done(tp, range(expected, offset))
            return True
        self._jumps[tp] = ((expected, offset), times)
        self.log.info("Reading %r again from %r, not from %r", tp, expected, offset)
        await self.seek(tp, expected)
        return False

    def ack(self, message: Message) -> bool:
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        self._under_way.discard(message)
        self._room.set()
        notify(self._waiting_for_ack)
        if not self.app.topics.acks_enabled_for(message.topic):
            return False
        generation = getattr(message, "generation_id", None)
        if generation is not None and generation != self.app.consumer_generation_id:
            return False  # of before a rebalance: whoever owns the partition now reads it again
        if isinstance(message, ChunkBatch):
            for tp, records in message.parts.items():
                self.acknowledged.done(tp, [record.offset for record in records])
        else:
            self.acknowledged.done(message.tp, [message.offset])
        self._n_acked += 1
        return True

    def pass_over(self, message: Message) -> None:
        """Leave a message that is about to come again: its acknowledgement will not count."""
        message.acked = True
        self._unacked_messages.discard(message)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp
            for tp in self.acknowledged.committable()
            if topics is None or tp in topics or tp.topic in topics
        )

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        committable = self.acknowledged.committable()
        return {tp: committable[tp] for tp in tps if tp in committable}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        if self.held_offsets.stopped:
            return False  # the thread that commits stops with the failure: it may never answer
        done = await super()._commit(offsets)
        if done:
            self.acknowledged.committed(offsets)
        return done

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust takes a partition that has just come for one that has stood still since
        the start, and knows of no commit of ours. ScoringStalled and CommitsStalled do."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing: a gap is known when a jump is believed."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        if self._active_partitions is not None:
            self._active_partitions.difference_update(revoked)
        self._paused_partitions.difference_update(revoked)
        await self._on_partitions_revoked(revoked)  # stops the flow, waits, and commits
        for tp in revoked:
            if tp.topic == self.chunks_topic:
                self.held_offsets.revoke(tp.partition)
            self.acknowledged.forget(tp)
            self._stale.discard(tp)
            for kept in (self._read_offset, self._expected, self._jumps):
                kept.pop(tp, None)


def transport_class(held: HeldOffsets, settings: Settings) -> type[driver.Transport]:
    """Faust's Kafka transport with our consumer."""

    class BoundConsumer(HoldingConsumer):
        held_offsets = held
        chunks_topic = AUDIO_CHUNKS.name(settings)
        batch_chunks = settings.batch_chunks
        batch_wait_seconds = settings.batch_wait_seconds

    class HoldingTransport(driver.Transport):
        Consumer = BoundConsumer

    return HoldingTransport
