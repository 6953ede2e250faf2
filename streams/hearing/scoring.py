"""From chunks to scores and segments: what the score agent does, without a broker.

State is kept for each monitor: the features of its last seconds (the detector's context) and its
open segment. All of it can be rebuilt from the chunks themselves, and that is how a worker takes
over after a crash. Two offsets of each partition make it exact:

- `published`: every chunk before it has its score published. A chunk that is read again from
  before it only rebuilds context: its score is not sent twice.
- `floor`: the oldest chunk that somebody still needs, as context or as part of an open segment.

The consumer commits the floor and remembers `published` beside it (`streams.kafka.consumer`). What
has become of a monitor's segments, and when it was heard, is remembered in a table, as one
`SegmentMark` a monitor.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.detector.runtime import CryDetector
from streams.admissions import Admissions
from streams.hearing.arrival import Arrival
from streams.hearing.monitor import Monitor, Outcome, follows
from streams.hearing.seconds import hear
from streams.hearing.segments import HeardSecond, Segmenter, SegmentMark, SegmentRules, segment_of
from streams.records.cry_scores import CryScore
from streams.records.cry_segment import CrySegment

# A row of the table for each second would cost more than its score: a monitor that is heard has one
# in ten minutes, and one more when it falls silent.
REMEMBERED_EVERY_MS = 600_000
NO_MARK = SegmentMark()


@dataclass(slots=True)
class Scored:
    """What one micro-batch gave."""

    scores: dict[int, list[CryScore]] = field(default_factory=dict)
    segments: list[tuple[int, CrySegment]] = field(default_factory=list)
    marks: dict[str, tuple[int, SegmentMark]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    crying: dict[str, bool] = field(default_factory=dict)


class Scorer:
    """Scores chunks in micro-batches across all monitors of a worker.

    Args:
        detector: the model.
        rules: when segments open and close.
        admissions: who lies at which monitor.
        silent_after_seconds: a monitor that sends nothing for this long is forgotten.
    """

    def __init__(
        self,
        detector: CryDetector,
        rules: SegmentRules,
        admissions: Admissions,
        silent_after_seconds: float,
    ) -> None:
        self._detector = detector
        self._rules = rules
        self._admissions = admissions
        self._marks: dict[str, SegmentMark] = {}
        self._silent_after = silent_after_seconds
        self._monitors: dict[str, Monitor] = {}
        self._published: dict[int, int] = {}

    @property
    def detector_version(self) -> str:
        """The version of the model that scores."""
        return self._detector.version

    def take_over(
        self, partition: int, published: int, marks: Mapping[str, SegmentMark] | None = None
    ) -> None:
        """Begin a partition anew.

        Args:
            partition: of `audio-chunks`.
            published: chunks before this offset only rebuild context.
            marks: what was remembered, by monitor: at least of those in this partition.
        """
        self.drop(partition)
        self._published[partition] = published
        self._marks.update(marks or {})

    def drop(self, partition: int) -> None:
        """Forget a partition: it belongs to somebody else now."""
        self._published.pop(partition, None)
        self._monitors = {
            name: monitor
            for name, monitor in self._monitors.items()
            if monitor.partition != partition
        }

    def heard_ms(self, monitor: str) -> int:
        """When a monitor was last heard, as far as the table knows; -1 if never."""
        return self._marks.get(monitor, NO_MARK).heard_ms

    def floors(self) -> dict[int, int]:
        """The oldest offset still needed, of each partition where one is."""
        floors: dict[int, int] = {}
        for monitor in self._monitors.values():
            floor = monitor.floor
            if floor is not None:
                floors[monitor.partition] = min(floor, floors.get(monitor.partition, floor))
        return floors

    def score(self, arrivals: Sequence[Arrival], now: float = 0.0) -> Scored:
        """Score a micro-batch, in the order of its partitions' offsets.

        Args:
            arrivals: what was accepted.
            now: seconds of the clock that `sweep` uses too.
        """
        scored = Scored()
        kept: list[tuple[Arrival, Monitor, Outcome]] = []
        last: dict[str, int] = {}
        for arrival in arrivals:
            monitor = self._monitor(arrival)
            monitor.heard_at = now
            outcome = self._outcome(arrival, monitor, last)
            scored.outcomes.append(Outcome.REREAD if self._was_published(arrival) else outcome)
            if outcome is not Outcome.DUPLICATE:
                kept.append((arrival, monitor, outcome))
        if not kept:
            return scored
        arrivals = [arrival for arrival, _, _ in kept]
        features, levels, clipped = hear(self._detector, arrivals)
        windows = np.empty(
            (len(kept), self._detector.context_seconds, self._detector.feature_size), np.float32
        )
        latest: dict[str, NDArray[np.float32]] = {}
        for row, (arrival, monitor, outcome) in enumerate(kept):
            name = arrival.chunk.monitor
            before = latest.get(name, monitor.window)
            windows[row] = features[row]  # where nothing is known before it, it stands for that
            if before is not None and outcome is Outcome.SCORED:
                windows[row, :-1] = before[1:]
            if outcome is not Outcome.LATE:
                latest[name] = windows[row]
        scores = self._detector.scores(windows)
        columns = [
            np.round(column, digits).tolist()
            for column, digits in ((scores.astype(float), 6), (levels, 2), (clipped, 4))
        ]
        for (arrival, monitor, outcome), *said in zip(kept, *columns, strict=True):
            chunk = arrival.chunk
            score = CryScore(chunk.monitor, chunk.sequence, chunk.captured_at_ms, *said)
            self._take(scored, arrival, monitor, outcome, score)
            scored.crying[chunk.monitor] = monitor.segmenter.is_open
        for name, window in latest.items():
            self._monitors[name].window = window.copy()
        return scored

    def sweep(self, now: float | None = None, behind: Collection[int] = ()) -> Scored:
        """Close the segments of monitors that fell silent, and forget them.

        Args:
            now: seconds of the clock that `score` uses too; None closes everything.
            behind: partitions with chunks that were not yet read: there nobody is silent.
        """
        scored = Scored()
        for name, monitor in list(self._monitors.items()):
            silent = now is None or now - monitor.heard_at >= self._silent_after
            if silent and monitor.partition not in behind:
                self._close(scored, name, monitor)
                scored.crying[name] = False
                if monitor.last_ms != self.heard_ms(name):
                    self._mark(scored, name, monitor, self._marks.get(name, NO_MARK))
                del self._monitors[name]
        return scored

    def _monitor(self, arrival: Arrival) -> Monitor:
        monitor = self._monitors.get(arrival.chunk.monitor)
        if monitor is None or monitor.partition != arrival.partition:
            context = self._detector.context_seconds
            monitor = Monitor(
                partition=arrival.partition,
                segmenter=Segmenter(self._rules),
                offsets=deque(maxlen=max(1, context - 1)),
            )
            self._monitors[arrival.chunk.monitor] = monitor
        return monitor

    def _outcome(self, arrival: Arrival, monitor: Monitor, last: dict[str, int]) -> Outcome:
        chunk = arrival.chunk
        before = last.get(chunk.monitor, monitor.last_ms)
        identity = (chunk.captured_at_ms, chunk.sequence)
        if identity in monitor.seen:
            return Outcome.DUPLICATE
        monitor.seen.append(identity)
        outcome = follows(chunk.captured_at_ms, before)
        if outcome is not Outcome.LATE:
            last[chunk.monitor] = chunk.captured_at_ms
        return outcome

    def _was_published(self, arrival: Arrival) -> bool:
        return arrival.offset < self._published.get(arrival.partition, 0)

    def _take(
        self,
        scored: Scored,
        arrival: Arrival,
        monitor: Monitor,
        outcome: Outcome,
        score: CryScore,
    ) -> None:
        chunk = arrival.chunk
        published = self._was_published(arrival)
        if not published:
            scored.scores.setdefault(arrival.partition, []).append(score)
        if outcome is Outcome.LATE:
            return
        rate_changed = monitor.sample_rate_hz not in (0, chunk.sample_rate_hz)
        if outcome in (Outcome.GAP, Outcome.CLOCK):
            self._close(scored, chunk.monitor, monitor)
            monitor.offsets.clear()
        elif rate_changed:  # features do not mind, a segment's sound does
            self._close(scored, chunk.monitor, monitor)
        needed = monitor.offsets[0] if monitor.offsets else arrival.offset
        monitor.offsets.append(arrival.offset)
        monitor.last_ms = chunk.captured_at_ms
        monitor.sample_rate_hz = chunk.sample_rate_hz
        mark = self._marks.get(chunk.monitor, NO_MARK)
        if abs(chunk.captured_at_ms - mark.heard_ms) >= REMEMBERED_EVERY_MS:
            self._mark(scored, chunk.monitor, monitor, mark)
        if mark.covers(arrival.offset, chunk.captured_at_ms):
            return
        if published and not 0 <= mark.opened_offset <= arrival.offset:
            return  # it was in no open segment, whatever a score without full context says
        segmenter, was_open = monitor.segmenter, monitor.segmenter.is_open
        second = HeardSecond(score, arrival.waveform, chunk.sample_rate_hz, arrival.offset)
        if not was_open and segmenter.opens(second):
            monitor.segment_floor = needed
            self._mark(scored, chunk.monitor, monitor, replace(mark, opened_offset=arrival.offset))
        if segmenter.hear(second):
            self._close(scored, chunk.monitor, monitor)

    def _close(self, scored: Scored, name: str, monitor: Monitor) -> None:
        if not monitor.segmenter.is_open:
            return
        seconds, room = monitor.segmenter.close()
        monitor.segment_floor = None
        mark = replace(self._marks.get(name, NO_MARK), opened_offset=-1)
        if seconds:
            place = self._admissions.place(name, seconds[0].score.captured_at_ms)
            segment = segment_of(place, seconds, room, self._detector.version)
            scored.segments.append((monitor.partition, segment))
            end = seconds[-1]
            mark = SegmentMark(end.offset, end.score.captured_at_ms)
        self._mark(scored, name, monitor, mark)

    def _mark(self, scored: Scored, name: str, monitor: Monitor, mark: SegmentMark) -> None:
        mark = replace(mark, heard_ms=monitor.last_ms)
        self._marks[name] = mark
        scored.marks[name] = (monitor.partition, mark)
