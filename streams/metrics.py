"""Every series that Vagitus exports, in one registry that is passed in."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from models.deviation.summary import Summary
from streams.alerting.thresholds import THRESHOLDS
from streams.errors import Refusal
from streams.records.admission import Admission
from streams.records.cry_scores import CryScore
from streams.records.deviation import DeviationRecord

# Real time is under a second; the 15 minutes at the end are what the broker keeps.
_AGE_BUCKETS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5, 10, 30, 60, 300, 900)
_INFERENCE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_INFANT = ("ward", "bed", "infant")
_SOUNDS = ("usable", "clipped", "quiet")


class Metrics:
    """The series of one worker.

    A series of an infant or a monitor appears with its admission and leaves with its discharge
    (`admit`, `discharge`): a series that nobody updates would go on saying "all quiet".
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.chunks = Counter(
            "vagitus_chunks_total", "Chunks by what became of them.", ["outcome"], registry=registry
        )
        self.chunk_age = Histogram(
            "vagitus_chunk_age_seconds",
            "From the end of a chunk's second to its published score.",
            buckets=_AGE_BUCKETS,
            registry=registry,
        )
        self.monitor_last_chunk = Gauge(
            "vagitus_monitor_last_chunk_timestamp_seconds",
            "Capture time of the last second heard; 0 until one is.",
            ["ward", "monitor"],
            registry=registry,
        )
        self.monitor_level = Gauge(
            "vagitus_monitor_level_dbfs",
            "Level of the last second heard.",
            ["ward", "monitor"],
            registry=registry,
        )
        self.monitor_seconds = Counter(
            "vagitus_monitor_seconds_total",
            "Seconds heard, by what could be made of their sound.",
            ["ward", "monitor", "sound"],
            registry=registry,
        )
        self.cry_active = Gauge(
            "vagitus_cry_active", "1 while the infant cries.", _INFANT, registry=registry
        )
        self.cry_changed = Gauge(
            "vagitus_cry_changed_timestamp_seconds",
            "When this worker saw the infant begin or cease to cry; 0 until it does.",
            _INFANT,
            registry=registry,
        )
        self.admitted_at = Gauge(
            "vagitus_admitted_timestamp_seconds",
            "When the infant was admitted at the monitor: says whose monitor it is.",
            [*_INFANT, "monitor"],
            registry=registry,
        )
        self.cry_seconds = Counter(
            "vagitus_cry_seconds_total", "Seconds of cry in segments.", _INFANT, registry=registry
        )
        self.segments = Counter(
            "vagitus_segments_total", "Cry segments, by stage.", ["stage"], registry=registry
        )
        self.deviation_sigma = Gauge(
            "vagitus_deviation_sigma",
            "How unusual the last cry was, in standard deviations.",
            _INFANT,
            registry=registry,
        )
        self.deviation_p_value = Gauge(
            "vagitus_deviation_p_value",
            "Conformal p-value of the last cry; small is unusual.",
            _INFANT,
            registry=registry,
        )
        self.deviation_at = Gauge(
            "vagitus_deviation_timestamp_seconds",
            "When the cry began that the deviation is about.",
            _INFANT,
            registry=registry,
        )
        self.drift_sigma = Gauge(
            "vagitus_drift_sigma",
            "How far recent cries are from the admission reference, in standard deviations.",
            _INFANT,
            registry=registry,
        )
        self.drifting = Gauge(
            "vagitus_drifting", "1 while the drift persists.", _INFANT, registry=registry
        )
        self.deviant_cries = Gauge(
            "vagitus_deviant_cries",
            "How many of the infant's cries in a row were far from its baseline.",
            _INFANT,
            registry=registry,
        )
        self.drifting_cries = Gauge(
            "vagitus_drifting_cries",
            "For how many of the infant's cries in a row its drift has persisted.",
            _INFANT,
            registry=registry,
        )
        self.baseline_segments = Gauge(
            "vagitus_baseline_segments",
            "Cries that the infant's baseline has learned from.",
            _INFANT,
            registry=registry,
        )
        self.gate_decisions = Counter(
            "vagitus_gate_decisions_total",
            "Whether a cry was learned from, and why.",
            ["decision", "reason"],
            registry=registry,
        )
        self.baseline_acts = Counter(
            "vagitus_baseline_acts_total",
            "What staff asked of baselines, and whether it was carried out.",
            ["what", "outcome"],
            registry=registry,
        )
        self.inference = Histogram(
            "vagitus_inference_seconds",
            "One call of a model, on a micro-batch or a segment.",
            ["model"],
            buckets=_INFERENCE_BUCKETS,
            registry=registry,
        )
        self.dead_letters = Counter(
            "vagitus_dead_letters_total", "Messages refused.", ["reason"], registry=registry
        )
        for refusal in Refusal:  # from 0, so that the first one is a rise
            self.dead_letters.labels(refusal.value)
        self.timeline_rows = Counter(
            "vagitus_timeline_rows_total", "Rows written to the timeline.", registry=registry
        )
        self.timeline_failures = Counter(
            "vagitus_timeline_failures_total",
            "Writes to the timeline that failed and are tried again.",
            registry=registry,
        )
        self.timeline_last_write = Gauge(
            "vagitus_timeline_last_write_timestamp_seconds",
            "When the timeline last took rows; 0 until it does.",
            registry=registry,
        )
        self.timeline_lag = Gauge(
            "vagitus_timeline_lag_records",
            "Deviations on the broker that this worker has yet to write to the timeline.",
            registry=registry,
        )
        self.last_batch = Gauge(
            "vagitus_last_batch_timestamp_seconds",
            "When a micro-batch was last finished: stands still when scoring is stuck.",
            registry=registry,
        )
        self.last_received = Gauge(
            "vagitus_last_received_timestamp_seconds",
            "When a chunk was last taken from the broker; 0 until one is.",
            registry=registry,
        )
        self.last_commit = Gauge(
            "vagitus_last_commit_timestamp_seconds",
            "When offsets of audio-chunks were last committed; 0 until they are.",
            registry=registry,
        )
        self.owned_partitions = Gauge(
            "vagitus_owned_partitions",
            "Partitions of audio-chunks that this worker scores.",
            registry=registry,
        )
        self._per_infant = (
            self.cry_active,
            self.cry_changed,
            self.deviation_at,
            self.deviation_sigma,
            self.deviation_p_value,
            self.drift_sigma,
            self.drifting,
            self.deviant_cries,
            self.drifting_cries,
            self.baseline_segments,
            self.cry_seconds,
        )
        # By monitor: an infant may lie at two for a moment, when it gets another.
        self._admitted: dict[str, tuple[str, str, str]] = {}
        self._crying: set[tuple[str, str, str]] = set()

    def admit(self, admission: Admission) -> None:
        """Let the series of an admission appear, at what is true before anything is heard."""
        infant = (admission.ward, admission.bed, admission.infant)
        self._admitted[admission.monitor] = infant
        self.cry_active.labels(*infant).set(0)
        self.cry_changed.labels(*infant).set(0)
        self.cry_seconds.labels(*infant)
        self.baseline_segments.labels(*infant)
        self.monitor_last_chunk.labels(admission.ward, admission.monitor).set(0)
        for sound in _SOUNDS:
            self.monitor_seconds.labels(admission.ward, admission.monitor, sound)
        at = admission.admitted_at_ms / 1000
        self.admitted_at.labels(*infant, admission.monitor).set(at)

    def discharge(self, admission: Admission) -> None:
        """Take the series of an ended admission away."""
        infant = (admission.ward, admission.bed, admission.infant)
        self._admitted.pop(admission.monitor, None)
        if infant not in self._admitted.values():
            self._crying.discard(infant)
            for series in self._per_infant:
                _remove(series, infant)
        for series in (self.monitor_last_chunk, self.monitor_level):
            _remove(series, (admission.ward, admission.monitor))
        for sound in _SOUNDS:
            _remove(self.monitor_seconds, (admission.ward, admission.monitor, sound))
        _remove(self.admitted_at, (*infant, admission.monitor))

    def heard(self, ward: str, score: CryScore) -> None:
        """Show that a second of an admitted monitor was heard, and how it sounded."""
        monitor = (ward, score.monitor)
        self.monitor_last_chunk.labels(*monitor).set(score.captured_at_ms / 1000)
        self.monitor_level.labels(*monitor).set(score.level_dbfs)
        sound = "usable"
        if score.clipped_fraction > THRESHOLDS.clipped_fraction:
            sound = "clipped"
        elif score.level_dbfs < THRESHOLDS.quiet_dbfs:
            sound = "quiet"
        self.monitor_seconds.labels(*monitor, sound).inc()

    def course(self, infant: tuple[str, str, str], deviant: int, drifting: int) -> None:
        """Show for how many cries in a row an infant (ward, bed, pseudonym) has been away."""
        if infant in self._admitted.values():
            self.deviant_cries.labels(*infant).set(deviant)
            self.drifting_cries.labels(*infant).set(drifting)

    def forget_course(self, infant: tuple[str, str, str]) -> None:
        """Leave an infant's course to the worker that reads its deviations now."""
        _remove(self.deviant_cries, infant)
        _remove(self.drifting_cries, infant)

    def crying(self, infant: tuple[str, str, str], active: bool) -> None:
        """Show whether an infant (ward, bed, pseudonym) cries, and since when that is so."""
        if active != (infant in self._crying):
            self._crying ^= {infant}
            self.cry_changed.labels(*infant).set_to_current_time()
        self.cry_active.labels(*infant).set(active)

    def deviation(self, record: DeviationRecord) -> None:
        """Count what was said of a cry, and show it while its infant is admitted."""
        self.gate_decisions.labels(record.gate, record.reason).inc()
        infant = (record.ward, record.bed, record.infant)
        if infant not in self._admitted.values():
            return
        self.baseline_segments.labels(*infant).set(record.baseline_segments)
        self.drifting.labels(*infant).set(record.drifting)
        self.deviation_at.labels(*infant).set(record.started_at_ms / 1000)
        for series, value in (
            (self.deviation_sigma, record.sigma),
            (self.deviation_p_value, record.p_value),
            (self.drift_sigma, record.drift_sigma),
        ):
            if value is not None:
                series.labels(*infant).set(value)

    def act(self, what: str, applied: bool, infant: str, summary: Summary | None) -> None:
        """Count an act of staff, and show its infant's baseline, if known, as it now is."""
        self.baseline_acts.labels(what, "applied" if applied else "refused").inc()
        if summary is None:
            return
        for labels in {labels for labels in self._admitted.values() if labels[2] == infant}:
            self.baseline_segments.labels(*labels).set(summary.accepted)
            self.drifting.labels(*labels).set(summary.drifting)
            if summary.drift_sigma is None:
                _remove(self.drift_sigma, labels)
            else:
                self.drift_sigma.labels(*labels).set(summary.drift_sigma)


def _remove(series: Gauge | Counter, labels: tuple[str, ...]) -> None:
    try:
        series.remove(*labels)
    except KeyError:
        return  # it never appeared
