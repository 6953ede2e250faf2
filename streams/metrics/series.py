"""Every series that Vagitus exports, in one registry that is passed in."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric

from streams.errors import Refusal

# Real time is under a second; the 15 minutes at the end are what the broker keeps.
_AGE_BUCKETS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5, 10, 30, 60, 300, 900)
_INFERENCE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_INFANT = ("ward", "bed", "infant")


class _Owned:
    """Series of infants or monitors: nothing is shown once they may be another worker's."""

    is_ours: Callable[[], bool] = staticmethod(lambda: True)

    def collect(self) -> Iterable[Metric]:
        return super().collect() if self.is_ours() else ()


class OwnedGauge(_Owned, Gauge):
    """A gauge of an infant or a monitor."""


class OwnedCounter(_Owned, Counter):
    """A counter of an infant or a monitor."""


class Series:
    """Every series, empty."""

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
        self.monitor_last_chunk = OwnedGauge(
            "vagitus_monitor_last_chunk_timestamp_seconds",
            "Capture time of the last second heard, never later than now; 0 until one is.",
            ["ward", "monitor"],
            registry=registry,
        )
        self.monitor_level = OwnedGauge(
            "vagitus_monitor_level_dbfs",
            "Level of the last second heard.",
            ["ward", "monitor"],
            registry=registry,
        )
        self.monitor_seconds = OwnedCounter(
            "vagitus_monitor_seconds_total",
            "Seconds heard, by what could be made of their sound.",
            ["ward", "monitor", "sound"],
            registry=registry,
        )
        self.cry_active = OwnedGauge(
            "vagitus_cry_active", "1 while the infant cries.", _INFANT, registry=registry
        )
        self.cry_changed = OwnedGauge(
            "vagitus_cry_changed_timestamp_seconds",
            "When this worker saw the infant begin or cease to cry; 0 until it does.",
            _INFANT,
            registry=registry,
        )
        self.admitted_at = OwnedGauge(
            "vagitus_admitted_timestamp_seconds",
            "When the infant was admitted at the monitor: says whose monitor it is.",
            [*_INFANT, "monitor"],
            registry=registry,
        )
        self.cry_seconds = OwnedCounter(
            "vagitus_cry_seconds_total", "Seconds of cry in segments.", _INFANT, registry=registry
        )
        self.segments = Counter(
            "vagitus_segments_total", "Cry segments, by stage.", ["stage"], registry=registry
        )
        self.deviation_sigma = OwnedGauge(
            "vagitus_deviation_sigma",
            "How unusual the last cry was, in standard deviations.",
            _INFANT,
            registry=registry,
        )
        self.deviation_p_value = OwnedGauge(
            "vagitus_deviation_p_value",
            "Conformal p-value of the last cry; small is unusual.",
            _INFANT,
            registry=registry,
        )
        self.deviation_at = OwnedGauge(
            "vagitus_deviation_timestamp_seconds",
            "When the cry began that the deviation is about.",
            _INFANT,
            registry=registry,
        )
        self.drift_sigma = OwnedGauge(
            "vagitus_drift_sigma",
            "How far recent cries are from the admission reference, in standard deviations.",
            _INFANT,
            registry=registry,
        )
        self.drifting = OwnedGauge(
            "vagitus_drifting", "1 while the drift persists.", _INFANT, registry=registry
        )
        self.deviant_cries = OwnedGauge(
            "vagitus_deviant_cries",
            "How many of the infant's cries in a row were far from its baseline.",
            _INFANT,
            registry=registry,
        )
        self.drifting_cries = OwnedGauge(
            "vagitus_drifting_cries",
            "For how many of the infant's cries in a row its drift has persisted.",
            _INFANT,
            registry=registry,
        )
        self.baseline_segments = OwnedGauge(
            "vagitus_baseline_segments",
            "Cries that the infant's baseline has learned from.",
            _INFANT,
            registry=registry,
        )
        self.learning_paused = OwnedGauge(
            "vagitus_learning_paused_timestamp_seconds",
            "When staff paused the learning of the infant's baseline; 0 while it goes on.",
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
        self.owned_ratio = Gauge(
            "vagitus_owned_ratio",
            "How much this worker owns of all sound, baselines and courses of infants; of all "
            "workers together 1, but while something is handed over.",
            ["share"],
            registry=registry,
        )
