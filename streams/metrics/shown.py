"""Whose series a worker shows: of what is admitted, and only what is its own to speak of.

A series that nobody updates would go on saying "all quiet", and two workers that speak of one
infant contradict each other. So a series appears when its infant or monitor is admitted, at the
worker that owns it, and leaves with the discharge or as soon as another worker is to own it.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from streams.alerting.course import Course
from streams.alerting.thresholds import THRESHOLDS
from streams.kafka.membership import Membership
from streams.kafka.partitioning import partition_of
from streams.metrics.groups import SOUNDS, Group, Share, hide
from streams.metrics.series import Series
from streams.records.admission import Admission
from streams.records.cry_scores import CryScore
from streams.records.deviation import DeviationRecord

_MONITOR, _INFANT = ("ward", "monitor"), ("ward", "bed", "infant")
Infant = tuple[str, str, str]
"""Ward, bed, infant."""


@dataclass(frozen=True, slots=True)
class BaselineFigures:
    """What is shown of an infant's baseline.

    Attributes:
        accepted: cries that it has learned from.
        drift_sigma: how far recent cries are from the admission reference; None if unknown.
        drifting: whether that has been so for long enough to be said.
        paused_since_ms: when staff paused learning, ms since 1970 UTC; None while it goes on.
    """

    accepted: int = 0
    drift_sigma: float | None = None
    drifting: bool = False
    paused_since_ms: int | None = None


class Metrics(Series):
    """The series of one worker.

    Args:
        registry: where they are collected.
        partitions: of every topic.

    Attributes:
        baseline_of: says what is known of a baseline of our own; None if nothing can be said.
        heard_of: says when a monitor of our own was last heard, ms since 1970 UTC; -1 if unknown.
        begun: partitions of sound whose reading has begun.
    """

    def __init__(self, registry: CollectorRegistry, partitions: int = 1) -> None:
        super().__init__(registry)
        self.baseline_of: Callable[[str], BaselineFigures | None] = lambda infant: None
        self.heard_of: Callable[[str], int] = lambda monitor: -1
        self.begun = 0
        self._partitions = partitions
        self._owned: dict[Share, frozenset[int]] = dict.fromkeys(Share, frozenset())
        self._membership: dict[Share, Membership] = {}
        for share in Share:
            self.owned_ratio.labels(share.value).set_function(partial(self._ratio, share))
        self.owned_partitions.set_function(lambda: self.begun if self._is_ours(Share.SOUND) else 0)
        self._admitted: dict[str, Admission] = {}
        # Monitors that somebody sends to another partition than their key says.
        self._elsewhere: dict[str, int] = {}
        self._crying: set[Infant] = set()
        heard = (self.monitor_last_chunk, self.monitor_level, self.monitor_seconds)
        cries = (self.cry_active, self.cry_changed, self.cry_seconds)
        learned = (self.baseline_segments, self.drift_sigma, self.drifting, self.learning_paused)
        of_course = (
            self.deviation_at, self.deviation_sigma, self.deviation_p_value, self.deviant_cries,
            self.drifting_cries,
        )  # fmt: skip
        whose = (*_INFANT, "monitor")
        self._monitors = Group(Share.SOUND, _MONITOR, heard, self._begin_monitor)
        self._whose = Group(Share.SOUND, whose, (self.admitted_at,), self._begin_whose)
        self._cries = Group(Share.SOUND, _INFANT, cries, self._begin_cries)
        self._baselines = Group(Share.BASELINES, _INFANT, learned, self._begin_baseline)
        self._courses = Group(Share.COURSES, _INFANT, of_course)
        self._groups = (self._monitors, self._whose, self._cries, self._baselines, self._courses)
        for group in self._groups:
            for series in group.series:
                series.is_ours = partial(self._is_ours, group.share)

    def own(self, share: Share, partitions: Iterable[int]) -> None:
        """Speak of what lies in these partitions, and of nothing else of this share."""
        self._owned[share] = frozenset(partitions)
        if share is Share.SOUND:
            self._elsewhere = {m: p for m, p in self._elsewhere.items() if p in self._owned[share]}
        for group in self._groups:
            if group.share is share:
                for labels in list(group.admitted):
                    group.settle(labels, partial(self._owns, share))

    def owns(self, share: Share, key: str) -> bool:
        """Whether a key's partition is this worker's."""
        return self._is_ours(share) and partition_of(key, self._partitions) in self._owned[share]

    def trust(self, share: Share, membership: Membership) -> None:
        """Show what is owned only as long as this lasts."""
        self._membership[share] = membership

    def _is_ours(self, share: Share) -> bool:
        return share not in self._membership or self._membership[share].lasts()

    def _ratio(self, share: Share) -> float:
        return len(self._owned[share]) / self._partitions if self._is_ours(share) else 0.0

    def admit(self, admission: Admission) -> None:
        """Let the series of an admission appear, at what is true before anything is heard."""
        self._admitted[admission.monitor] = admission
        for group in self._groups:
            group.admitted.setdefault(group.labels(admission), {})[admission.monitor] = admission
        self._settle(admission)

    def discharge(self, admission: Admission) -> None:
        """Take the series of an ended admission away."""
        self._admitted.pop(admission.monitor, None)
        for group in self._groups:
            labels = group.labels(admission)
            others = group.admitted.get(labels, {})
            others.pop(admission.monitor, None)
            if not others:
                group.admitted.pop(labels, None)
        self._settle(admission)

    def _settle(self, admission: Admission) -> None:
        for group in self._groups:
            group.settle(group.labels(admission), partial(self._owns, group.share))

    def _owns(self, share: Share, admission: Admission) -> bool:
        return self._partition(share, admission) in self._owned[share]

    def _partition(self, share: Share, admission: Admission) -> int:
        if share is Share.SOUND:
            return self._partition_of_sound(admission.monitor)
        return partition_of(admission.infant, self._partitions)

    def _partition_of_sound(self, monitor: str) -> int:
        elsewhere = self._elsewhere.get(monitor)
        return partition_of(monitor, self._partitions) if elsewhere is None else elsewhere

    def _begin_monitor(self, admission: Admission, new: bool) -> None:
        if new:
            self.monitor_last_chunk.labels(admission.ward, admission.monitor).set(0)
            for sound in SOUNDS:
                self.monitor_seconds.labels(admission.ward, admission.monitor, sound)
            self.last_heard(admission.monitor)

    def _begin_whose(self, admission: Admission, new: bool) -> None:
        labels = (*_infant(admission), admission.monitor)
        self.admitted_at.labels(*labels).set(admission.admitted_at_ms / 1000)

    def _begin_cries(self, admission: Admission, new: bool) -> None:
        if new:
            infant = _infant(admission)
            self._crying.discard(infant)
            self.cry_active.labels(*infant).set(0)
            self.cry_changed.labels(*infant).set(0)
            self.cry_seconds.labels(*infant)

    def _begin_baseline(self, admission: Admission, new: bool) -> None:
        figures, infant = self.baseline_of(admission.infant), _infant(admission)
        if figures is not None:
            self.baseline_segments.labels(*infant).set(figures.accepted)
            self.drifting.labels(*infant).set(figures.drifting)
            self.learning_paused.labels(*infant).set((figures.paused_since_ms or 0) / 1000)
            _show(self.drift_sigma, infant, figures.drift_sigma)

    def heard(self, ward: str, partition: int, score: CryScore) -> None:
        """Show that a second of a monitor was heard, and how it sounded."""
        if partition not in self._owned[Share.SOUND]:
            return
        monitor = (ward, score.monitor)
        if partition != self._partition_of_sound(score.monitor):
            self._elsewhere[score.monitor] = partition
            if score.monitor in self._admitted:
                self._settle(self._admitted[score.monitor])
        if monitor not in self._monitors.shown:
            return
        self.monitor_last_chunk.labels(*monitor).set(_until_now(score.captured_at_ms))
        self.monitor_level.labels(*monitor).set(score.level_dbfs)
        sound = "usable"
        if score.clipped_fraction > THRESHOLDS.clipped_fraction:
            sound = "clipped"
        elif score.level_dbfs < THRESHOLDS.quiet_dbfs:
            sound = "quiet"
        self.monitor_seconds.labels(*monitor, sound).inc()

    def last_heard(self, monitor: str) -> None:
        """Show when a monitor was heard before, where nothing later is shown.

        What was heard of it before the admission is not of this infant.
        """
        at_ms, admission = self.heard_of(monitor), self._admitted.get(monitor)
        if admission is None or at_ms < admission.admitted_at_ms:
            return
        labels = (admission.ward, monitor)
        if labels in self._monitors.shown:
            shown = self.monitor_last_chunk.labels(*labels)
            shown.set(max(shown._value.get(), _until_now(at_ms)))

    def crying(self, infant: Infant, active: bool) -> None:
        """Show whether an infant cries, and since when that is so."""
        if infant in self._cries.shown:
            if active != (infant in self._crying):
                self._crying ^= {infant}
                self.cry_changed.labels(*infant).set_to_current_time()
            self.cry_active.labels(*infant).set(active)

    def cried(self, infant: Infant, seconds: float) -> None:
        """Count a cry that has ended."""
        if infant in self._cries.shown:
            self.cry_seconds.labels(*infant).inc(seconds)

    def course(self, infant: Infant, course: Course) -> None:
        """Show an infant's last cry, and for how many in a row it has been away."""
        if infant not in self._courses.shown:
            return
        self.deviant_cries.labels(*infant).set(course.deviant)
        self.drifting_cries.labels(*infant).set(course.drifting)
        if course.last is not None:
            self.deviation_at.labels(*infant).set(course.last.started_at_ms / 1000)
            _show(self.deviation_sigma, infant, course.last.sigma)
            _show(self.deviation_p_value, infant, course.last.p_value)

    def decided(self, record: DeviationRecord) -> None:
        """Count what the gate said of a cry, and show the baseline as it is after it."""
        self.gate_decisions.labels(record.gate, record.reason).inc()
        infant = (record.ward, record.bed, record.infant)
        if infant in self._baselines.shown:
            self.baseline_segments.labels(*infant).set(record.baseline_segments)
            self.drifting.labels(*infant).set(record.drifting)
            _show(self.drift_sigma, infant, record.drift_sigma)

    def act(self, what: str, applied: bool, infant: str) -> None:
        """Count an act of staff, and show its infant's baseline as it now is."""
        self.baseline_acts.labels(what, "applied" if applied else "refused").inc()
        self.baseline(infant)

    def baseline(self, infant: str) -> None:
        """Show an infant's baseline as it now is."""
        for admission in self._baselines.shown.values():
            if admission.infant == infant:
                self._begin_baseline(admission, new=False)


def _until_now(captured_at_ms: int) -> float:
    """A capture time in seconds. By a clock that is ahead a monitor would not be missed for hours
    after it has fallen silent."""
    return min(captured_at_ms / 1000, time.time())


def _infant(admission: Admission) -> Infant:
    return admission.ward, admission.bed, admission.infant


def _show(series: Gauge, infant: Infant, value: float | None) -> None:
    """Show a value; one that is not known any more is shown no more."""
    if value is not None:
        series.labels(*infant).set(value)
    else:
        hide(series, infant)
