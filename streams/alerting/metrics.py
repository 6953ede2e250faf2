"""The series that tell whether alerts get through."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# 3 s are promised: fine steps around them.
_DELAY_BUCKETS = (0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 10, 30, 60, 300)


class AlertMetrics:
    """What one worker's way to Alertmanager does."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.posts = Counter(
            "vagitus_alert_posts_total",
            "Posts to Alertmanager, by whether it took them.",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("taken", "failed"):
            self.posts.labels(outcome)
        self.waiting = Gauge(
            "vagitus_alerts_waiting",
            "Alerts that began or ended, which Alertmanager has yet to take.",
            registry=registry,
        )
        self.looked = Gauge(
            "vagitus_alerts_looked_timestamp_seconds",
            "When this worker last looked at whom to alert about; 0 until it does.",
            registry=registry,
        )
        self.delay = Histogram(
            "vagitus_alert_delay_seconds",
            "From the end of the cry that made an alert until Alertmanager has taken it.",
            buckets=_DELAY_BUCKETS,
            registry=registry,
        )
        self.certificate_expiry = Gauge(
            "vagitus_certificate_expiry_timestamp_seconds",
            "When a certificate ends: a server's that was shown, or the worker's own files'.",
            ["certificate"],
            registry=registry,
        )
