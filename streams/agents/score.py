"""The score agent: `audio-chunks` to `cry-scores` and `cry-segments`."""

import asyncio
import json
import logging
import time
import weakref
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace

import faust
from aiokafka import ConsumerRecord
from faust.streams import _current_event
from faust.types import TP, Message

from streams.admissions import AdmissionsReader
from streams.agents.sending import Outgoing, Sender
from streams.agents.taking import one_by_one
from streams.errors import RefusedMessage
from streams.hearing.arrival import decode_arrivals
from streams.hearing.clock import ListeningClock
from streams.hearing.scoring import Outcome, Scored, Scorer
from streams.hearing.segments import SegmentMark
from streams.kafka.batch import ChunkBatch
from streams.kafka.offsets import HeldOffsets
from streams.kafka.topics import AUDIO_CHUNKS, CRY_SCORES, CRY_SEGMENTS
from streams.metrics.shown import Metrics
from streams.records.cry_scores import CryScore, CryScores
from streams.settings import Settings

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 1.0


class ScoreAgent:
    """Decodes, calls the scorer, sends.

    Args:
        scorer: what knows about sound.
        marks: Faust table, monitor to what has become of its segments.
        sender: the way out.
        admissions: must have been read before anything is scored.
        held: what may be committed.
        metrics: what is shown.
        settings: names of topics.
    """

    def __init__(
        self,
        scorer: Scorer,
        marks: faust.Table,
        sender: Sender,
        admissions: AdmissionsReader,
        held: HeldOffsets,
        metrics: Metrics,
        settings: Settings,
    ) -> None:
        self._scorer = scorer
        self._marks = marks
        self._sender = sender
        self._admissions = admissions
        self._held = held
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="score")
        self._turn = asyncio.Lock()  # a batch and a sweep must not mix
        self._topic = AUDIO_CHUNKS.name(settings)
        self._reached: dict[TP, int] = {}  # the offset up to which each partition was scored
        self._begins: set[int] = set()  # partitions whose first chunk is yet to come
        self._clock = ListeningClock()

    async def run(self, stream: faust.Stream) -> None:
        """Consume the stream until the worker stops."""
        await self._admissions.caught_up.wait()
        async for event in one_by_one(stream):
            try:
                async with self._turn:
                    await self._batch(event.message)
            except Exception as error:
                await self._sender.fail("score", error)

    async def sweep(self) -> None:
        """Close the segments of monitors that fell silent; called by a timer."""
        async with self._turn:
            try:
                self._follow_partitions()
                now = self._clock.look(self._sender.listening)
                scored = self._scorer.sweep(now, self._behind())
                await self._publish(scored, self._messages(scored))
            except Exception as error:
                await self._sender.fail("score", error)

    def _behind(self) -> set[int]:
        """Partitions that have chunks which were not yet read."""
        behind = set()
        for tp, offset in self._reached.items():
            highwater = self._sender.highwater(tp)
            if highwater is not None and offset < highwater:
                behind.add(tp.partition)
        return behind

    async def _batch(self, batch: ChunkBatch) -> None:
        self._follow_partitions()
        self._keep_in_order(batch)
        loop = asyncio.get_running_loop()
        refused, scored, messages = await loop.run_in_executor(
            self._pool, self._score, batch.records()
        )
        await self._sender.bury(refused)
        for tp, records in batch.parts.items():
            self._reached[tp] = records[-1].offset + 1
        await self._publish(scored, messages)
        outcomes = Counter(scored.outcomes)
        outcomes[Outcome.REFUSED] += len(refused)
        for outcome, count in outcomes.items():
            self._metrics.chunks.labels(outcome.value).inc(count)
        self._hold(batch)
        self._metrics.last_batch.set_to_current_time()

    def _score(
        self, records: Sequence[ConsumerRecord]
    ) -> tuple[list[tuple[RefusedMessage, ConsumerRecord]], Scored, list[Outgoing]]:
        """All that takes time, in a thread of its own: beside it heartbeats go on."""
        arrivals, refused = decode_arrivals(records, int(time.time() * 1000))
        with self._metrics.inference.labels(self._scorer.detector_version).time():
            scored = self._scorer.score(arrivals, self._clock.seconds)
        return refused, scored, self._messages(scored)

    def _follow_partitions(self) -> None:
        """Forget the partitions that went, begin those that came."""
        for partition in self._held.revoked():
            self._scorer.drop(partition)
            self._reached.pop(TP(self._topic, partition), None)
        self._metrics.begun = self._held.owned
        resumed = self._held.resumed()
        if not resumed:
            return
        marks = {
            key.decode(): SegmentMark(*json.loads(value)) for key, value in self._marks.items()
        }
        for partition, progress in resumed.items():
            self._begins.add(partition)
            self._scorer.take_over(partition, progress.published, marks)
        for monitor in marks:
            self._metrics.last_heard(monitor)

    def _keep_in_order(self, batch: ChunkBatch) -> None:
        """Take out what is from before a resumption: it is about to come again."""
        for tp, records in list(batch.parts.items()):
            if tp.partition not in self._begins:
                continue
            first = self._held.first(tp.partition)
            offsets = [record.offset for record in records]
            if first in offsets:
                self._begins.discard(tp.partition)
                batch.parts[tp] = records[offsets.index(first) :]
            else:
                logger.info("Passed over, to come again: %s", tp)
                del batch.parts[tp]

    def _messages(self, scored: Scored) -> list[Outgoing]:
        version = self._scorer.detector_version
        messages = [
            Outgoing(
                CRY_SCORES,
                None,
                CryScores(version, tuple(scores)).to_json(),
                partition=partition,
            )
            for partition, scores in scored.scores.items()
        ]
        for _, segment in scored.segments:
            key, value, headers = segment.encode()
            messages.append(Outgoing(CRY_SEGMENTS, key, value, headers))
        return messages

    async def _publish(self, scored: Scored, messages: Sequence[Outgoing]) -> None:
        sent = await self._sender.start(messages)
        # After its segment: a mark that is ahead of it would lose it.
        for monitor, (partition, mark) in scored.marks.items():
            self._remember(partition, monitor, mark)
        if sent or scored.marks:
            await self._sender.finish(sent)
        for monitor in scored.marks:
            self._metrics.last_heard(monitor)
        for partition, scores in scored.scores.items():
            for score in scores:
                self._show(partition, score)
        for monitor, crying in scored.crying.items():
            place = self._admissions.admissions.place(monitor, int(time.time() * 1000))
            if place.assigned:
                self._metrics.crying((place.ward, place.bed, place.infant), crying)
        for _, segment in scored.segments:
            place = segment.place
            self._metrics.segments.labels("scored").inc()
            if place.assigned:
                self._metrics.cried((place.ward, place.bed, place.infant), segment.seconds)

    def _show(self, partition: int, score: CryScore) -> None:
        age = time.time() - score.captured_at_ms / 1000 - 1
        self._metrics.chunk_age.observe(max(0.0, age))
        place = self._admissions.admissions.place(score.monitor, score.captured_at_ms)
        if place.assigned:
            self._metrics.heard(place.ward, partition, score)

    def _remember(self, partition: int, monitor: str, mark: SegmentMark) -> None:
        # Faust writes a table only while an event of the partition is current: this one stands
        # for whatever was last scored there.
        message = Message(self._topic, partition, 0, 0.0, 0, None, None, None, None)
        event = faust.Event(self._marks.app, None, None, None, message)
        token = _current_event.set(weakref.ref(event))
        try:
            # A clock that is ahead must not make a monitor heard in times to come.
            mark = replace(mark, heard_ms=min(mark.heard_ms, int(time.time() * 1000)))
            self._marks[monitor.encode()] = json.dumps(astuple(mark)).encode()
        finally:
            _current_event.reset(token)

    def _hold(self, batch: ChunkBatch) -> None:
        floors = self._scorer.floors()
        for tp, records in batch.parts.items():
            end = records[-1].offset + 1
            self._held.hold(tp.partition, end, floors.get(tp.partition, end))
