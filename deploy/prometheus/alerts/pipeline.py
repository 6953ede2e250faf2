"""Alerts about the system itself."""

from collections.abc import Iterator

from deploy.prometheus.alerts.rule import DAY, Rule
from streams.alerting.notices import Severity, Text
from streams.alerting.thresholds import Thresholds


def pipeline(at: Thresholds) -> Iterator[Rule]:
    """What is about the system itself."""
    yield Rule(
        Text(
            "Watchdog", Severity.NONE, "Alerts get through",
            "This alert always fires. Where it does not arrive, no other alert does: have "
            "something outside of this system say so.",
        ),
        "vector(1)",
    )  # fmt: skip
    yield Rule(
        Text(
            "NoWorker", Severity.HIGH, "Nobody listens to any infant",
            "No worker answers, or none of them owns a partition: no cry is heard, and no other "
            "alert of an infant can come.",
        ),
        'absent(up{job="vagitus"} == 1) or sum(vagitus_owned_partitions) == 0',
        at.no_worker_for,
    )  # fmt: skip
    yield Rule(
        Text(
            "WorkerDown", Severity.MEDIUM, "Worker {instance} does not answer",
            "Worker {instance} cannot be scraped. Others take its share over; where they do not, "
            "its monitors become silent.",
        ),
        'up{job="vagitus"} == 0',
        at.worker_down_for,
    )  # fmt: skip
    yield Rule(
        Text(
            "PipelineLagging", Severity.MEDIUM, "Sound is heard late",
            "Of the seconds scored, one in twenty was {duration} old or older: alerts come late.",
        ),
        "histogram_quantile(0.95, sum by (le) (rate(vagitus_chunk_age_seconds_bucket[2m]))) "
        f"> {at.chunk_age}",
        at.chunk_age_for,
    )  # fmt: skip
    yield Rule(
        Text(
            "ScoringStalled", Severity.HIGH, "Worker {instance} receives sound and hears nothing",
            "Worker {instance} takes sound from the broker, but has scored none for {duration}.",
        ),
        # By the clock: a worker that is stuck soon takes nothing more, and `received` stands too.
        f"time() - vagitus_last_batch_timestamp_seconds > {at.scoring_stalled} "
        "and vagitus_last_received_timestamp_seconds > vagitus_last_batch_timestamp_seconds",
        at.scoring_stalled_for,
    )  # fmt: skip
    yield Rule(
        Text(
            "CommitsStalled", Severity.MEDIUM, "Worker {instance} commits nothing",
            "Worker {instance} scores, but its commits are {duration} behind: after a crash all "
            "of that is done again, and sound is kept for 15 minutes only.",
        ),
        "vagitus_last_batch_timestamp_seconds - vagitus_last_commit_timestamp_seconds "
        f"> {at.commits_stalled}",
        at.commits_stalled_for,
    )  # fmt: skip
    yield Rule(
        Text(
            "DeadLettersRising", Severity.LOW, "Messages are refused ({reason})",
            "{value} messages were refused within ten minutes because of {reason}.",
        ),
        "sum by (reason) (increase(vagitus_dead_letters_total"
        f"[{at.dead_letters_window}s])) > {at.dead_letters}",
    )  # fmt: skip
    yield Rule(
        Text(
            "TimelineStalled", Severity.LOW, "The timeline is not written",
            "{value} deviations wait on the broker because the timeline's store does not take "
            "them.",
        ),
        "sum(vagitus_timeline_lag_records) > 0\n"
        "  and sum(increase(vagitus_timeline_failures_total[5m])) > 0",
        at.timeline_for,
    )  # fmt: skip
    yield Rule(
        Text(
            "AlertsNotDelivered", Severity.MEDIUM, "Patients' alerts of {instance} do not arrive",
            "Worker {instance} cannot bring its alerts to Alertmanager, or no longer looks whom "
            "to alert about: patients' alerts come late, or not at all.",
        ),
        "vagitus_alerts_waiting > 0\n"
        f"  or time() - vagitus_alerts_looked_timestamp_seconds > {at.undelivered_for}",
        at.undelivered_for,
    )  # fmt: skip
    yield Rule(
        Text(
            "CertificateNearExpiry", Severity.LOW, "The certificate of {certificate} ends soon",
            "The certificate of {certificate} ends in {duration}; after that no new connection "
            "with it is made.",
        ),
        "min by (certificate) (vagitus_certificate_expiry_timestamp_seconds) - time() "
        f"< {at.certificate_days * DAY}",
    )  # fmt: skip
