"""The score agent: `audio-chunks` to `cry-scores` and `cry-segments`."""

import asyncio
import json
import logging
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import faust
from faust.streams import _current_event

from streams.admissions import AdmissionsReader
from streams.agents.sending import Outgoing, Sender
from streams.arrival import Arrival, decode_arrival
from streams.clock import ListeningClock
from streams.errors import RefusedMessage
from streams.metrics import Metrics
from streams.offsets import HeldOffsets
from streams.records.cry_scores import CryScore, CryScores
from streams.scoring import Outcome, Scored, Scorer
from streams.segments import SegmentMark
from streams.settings import Settings
from streams.topics import CRY_SCORES, CRY_SEGMENTS

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
        settings: sizes of batches.
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
        self._settings = settings
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="score")
        self._turn = asyncio.Lock()  # a batch and a sweep must not mix
        self._last_events: dict[int, faust.Event] = {}
        self._begins: set[int] = set()  # partitions whose first event is yet to come
        self._clock = ListeningClock()

    async def run(self, stream: faust.Stream) -> None:
        """Consume the stream until the worker stops."""
        await self._admissions.caught_up.wait()
        size, wait = self._settings.batch_chunks, self._settings.batch_wait_seconds
        async for events in stream.take_events(size, within=wait):
            try:
                async with self._turn:
                    await self._batch(events)
            except Exception as error:
                await self._sender.fail("score", error)

    async def sweep(self) -> None:
        """Close the segments of monitors that fell silent; called by a timer."""
        async with self._turn:
            try:
                self._follow_partitions()
                now = self._clock.look(self._sender.listening)
                await self._publish(self._scorer.sweep(now, self._behind()))
            except Exception as error:
                await self._sender.fail("score", error)

    def _behind(self) -> set[int]:
        """Partitions that have chunks which were not yet read."""
        behind = set()
        for partition, event in self._last_events.items():
            highwater = self._sender.highwater(event.message.tp)
            if highwater is not None and event.message.offset + 1 < highwater:
                behind.add(partition)
        return behind

    async def _batch(self, events: Sequence[faust.Event]) -> None:
        self._follow_partitions()
        events = self._in_order(events)
        arrivals = await self._decode(events)
        loop = asyncio.get_running_loop()
        with self._metrics.inference.labels(self._scorer.detector_version).time():
            scored = await loop.run_in_executor(
                self._pool, self._scorer.score, arrivals, self._clock.seconds
            )
        for event in events:
            self._last_events[event.message.partition] = event
        await self._publish(scored)
        for outcome in scored.outcomes:
            self._metrics.chunks.labels(outcome.value).inc()
        self._hold(events)
        self._metrics.last_batch.set_to_current_time()

    def _follow_partitions(self) -> None:
        """Forget the partitions that went, begin those that came."""
        for partition in self._held.revoked():
            self._scorer.drop(partition)
            self._last_events.pop(partition, None)
        self._metrics.owned_partitions.set(self._held.owned)
        resumed = self._held.resumed()
        if not resumed:
            return
        marks = {
            key.decode(): SegmentMark(*json.loads(value)) for key, value in self._marks.items()
        }
        for partition, progress in resumed.items():
            self._begins.add(partition)
            self._scorer.take_over(partition, progress.published, marks)

    def _in_order(self, events: Sequence[faust.Event]) -> list[faust.Event]:
        """The events without those from before a resumption: they are about to come again."""
        kept = []
        for event in events:
            partition = event.message.partition
            if partition in self._begins:
                if event.message.offset != self._held.first(partition):
                    self._sender.pass_over(event.message)
                    continue
                self._begins.discard(partition)
            kept.append(event)
        return kept

    async def _decode(self, events: Sequence[faust.Event]) -> list[Arrival]:
        arrivals = []
        refused = []
        now_ms = int(time.time() * 1000)
        for event in events:
            message = event.message
            try:
                arrivals.append(
                    decode_arrival(
                        message.key,
                        message.value,
                        message.headers,
                        partition=message.partition,
                        offset=message.offset,
                        now_ms=now_ms,
                    )
                )
            except RefusedMessage as error:
                refused.append((error, message))
                self._metrics.chunks.labels(Outcome.REFUSED.value).inc()
        await self._sender.bury(refused)
        return arrivals

    async def _publish(self, scored: Scored) -> None:
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
        sent = await self._sender.start(messages)
        # After its segment: a mark that is ahead of it would lose it.
        for monitor, (partition, mark) in scored.marks.items():
            self._remember(partition, monitor, mark)
        if sent or scored.marks:
            await self._sender.finish(sent)
        for scores in scored.scores.values():
            for score in scores:
                self._show(score)
        for monitor, crying in scored.crying.items():
            place = self._admissions.admissions.place(monitor, int(time.time() * 1000))
            if place.assigned:
                self._metrics.crying((place.ward, place.bed, place.infant), crying)
        for _, segment in scored.segments:
            place = segment.place
            self._metrics.segments.labels("scored").inc()
            if place.assigned:
                labels = (place.ward, place.bed, place.infant)
                self._metrics.cry_seconds.labels(*labels).inc(segment.seconds)

    def _show(self, score: CryScore) -> None:
        age = time.time() - score.captured_at_ms / 1000 - 1
        self._metrics.chunk_age.observe(max(0.0, age))
        place = self._admissions.admissions.place(score.monitor, score.captured_at_ms)
        if place.assigned:
            self._metrics.heard(place.ward, score)

    def _remember(self, partition: int, monitor: str, mark: SegmentMark) -> None:
        # Faust writes a table only while an event of the partition is current, which it is not
        # inside `take_events` (its issue 497).
        token = _current_event.set(weakref.ref(self._last_events[partition]))
        try:
            row = [mark.ended_offset, mark.ended_ms, mark.opened_offset]
            self._marks[monitor.encode()] = json.dumps(row).encode()
        finally:
            _current_event.reset(token)

    def _hold(self, events: Sequence[faust.Event]) -> None:
        floors = self._scorer.floors()
        processed: dict[int, int] = {}
        for event in events:
            processed[event.message.partition] = event.message.offset + 1
        for partition, offset in processed.items():
            self._held.hold(partition, offset, floors.get(partition, offset))
