"""The pipeline: whether sound becomes scores in time, and what is refused."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from grafana.expressions import quantiles
from grafana.frame import alerts, frame, runbook
from grafana.parts import Query, graph, heat, tile
from grafana.style import CLEAR, HIGH, LINE, MEDIUM, PIPELINE_UID, steps
from streams.alerting.thresholds import THRESHOLDS

WORKER = "and on (instance, job) vagitus_owned_partitions"
WAITING = (
    "sum by (topic) ("
    "max by (topic, partition) (vagitus_faust_topic_partition_end_offset) - "
    "max by (topic, partition) (vagitus_faust_topic_partition_offset_commited))"
)
# Beyond this a second is no longer heard in real time.
LATE_SECONDS = 2.5


def build(runbooks_url: str) -> dashboard.Dashboard:
    """The dashboard, with its runbooks at that address."""
    made = frame(
        PIPELINE_UID,
        "Vagitus: pipeline",
        "Whether every second becomes a score in time, what waits, and what is refused.",
        runbooks_url,
        [],
        alerts('infant="", monitor=""'),
        since="now-3h",
    )
    for panel in _now():
        made.with_panel(panel)
    made.with_row(dashboard.Row("Sound"))
    for panel in _sound():
        made.with_panel(panel)
    made.with_row(dashboard.Row("What is refused, and what waits"))
    for panel in _trouble():
        made.with_panel(panel)
    made.with_row(dashboard.Row("Patients' alerts"))
    for panel in _alerts():
        made.with_panel(panel)
    made.with_row(dashboard.Row("Workers"))
    for panel in _workers():
        made.with_panel(panel)
    return made


def _now() -> Iterator[Builder[Panel]]:
    yield tile(
        "Workers",
        "Workers that answer. None means that nobody is heard.",
        [Query("count(vagitus_owned_partitions)")],
        missing="NONE",
    )
    yield tile(
        "Partitions scored",
        "Partitions of audio-chunks that are some worker's.",
        [Query("sum(vagitus_owned_partitions)")],
    )
    yield tile(
        "Since a batch",
        "Since a worker last finished a micro-batch; grows when scoring is stuck.",
        [Query("time() - max(vagitus_last_batch_timestamp_seconds)")],
        unit="s",
        decimals=0,
        colours=steps(LINE, (THRESHOLDS.scoring_stalled, HIGH)),
    ).links([runbook("ScoringStalled")])
    yield tile(
        "Age of a second, p95",
        "From the end of a second to its score, at the 95th percentile of five minutes.",
        [Query(
            "histogram_quantile(0.95, sum by (le) (rate(vagitus_chunk_age_seconds_bucket[5m])))"
        )],
        unit="s",
        decimals=2,
        colours=steps(LINE, (LATE_SECONDS, MEDIUM), (THRESHOLDS.chunk_age, HIGH)),
    )  # fmt: skip
    yield tile(
        "Chunks waiting",
        "On the broker, as far as the workers know, and not yet committed. Rises and falls with "
        "every commit.",
        [Query(WAITING)],
    ).links([runbook("PipelineLagging")])
    yield tile(
        "Seconds scored",
        "Seconds of sound a second, of all monitors.",
        [Query('sum(rate(vagitus_chunks_total{outcome!="refused"}[1m]))')],
        decimals=1,
    )
    yield tile(
        "Refused today",
        "Messages in the dead letters, of 24 hours.",
        [Query("sum(increase(vagitus_dead_letters_total[24h])) or vector(0)")],
        decimals=0,
    ).links([runbook("DeadLettersRising")])
    yield tile(
        "Timeline waits for",
        "Deviations on the broker that the timeline has yet to take.",
        [Query("sum(vagitus_timeline_lag_records)")],
        decimals=0,
    )


def _sound() -> Iterator[Builder[Panel]]:
    ages = quantiles("vagitus_chunk_age_seconds")
    yield graph(
        "Age of a second when its score is out",
        "From the end of the second to its published score: network, waiting, model.",
        [Query(expr, name) for name, expr in ages.items()],
        unit="s",
        bands=steps(CLEAR, (LATE_SECONDS, MEDIUM), (THRESHOLDS.chunk_age, HIGH)),
    ).links([runbook("PipelineLagging")])
    yield heat(
        "Age of a second, all of them",
        "How many seconds had which age.",
        Query("sum by (le) (increase(vagitus_chunk_age_seconds_bucket[$__rate_interval]))",
              "{{le}}"),
        unit="s",
    )  # fmt: skip
    yield graph(
        "Throughput",
        "Chunks a second by what became of them.",
        [Query("sum by (outcome) (rate(vagitus_chunks_total[$__rate_interval]))", "{{outcome}}")],
        unit="cps",
    )
    yield graph(
        "Cries",
        "Cry segments a minute by the stage that they have reached.",
        [Query("60 * sum by (stage) (rate(vagitus_segments_total[$__rate_interval]))",
               "{{stage}}")],
        unit="cpm",
    )  # fmt: skip
    models = quantiles("vagitus_inference_seconds", "model")
    yield graph(
        "Inference",
        "One call of a model, on a micro-batch or a cry.",
        [Query(models[name], f"{{{{model}}}}, {name}") for name in ("median", "p95")],
        unit="s",
        log=True,
    )
    yield graph(
        "Calls of the models",
        "Share of one core that the models take.",
        [Query("sum by (model) (rate(vagitus_inference_seconds_sum[$__rate_interval]))",
               "{{model}}")],
        unit="percentunit",
    )  # fmt: skip


def _trouble() -> Iterator[Builder[Panel]]:
    yield graph(
        "Refused",
        "Messages a minute that went to the dead letters, by reason.",
        [Query("60 * sum by (reason) (rate(vagitus_dead_letters_total[$__rate_interval]))",
               "{{reason}}")],
        unit="cpm",
    ).links([runbook("DeadLettersRising")])  # fmt: skip
    yield graph(
        "Waiting",
        "Chunks not yet committed, and deviations not yet on the timeline.",
        [
            Query(WAITING, "{{topic}}"),
            Query("sum(vagitus_timeline_lag_records)", "timeline"),
        ],
    ).links([runbook("PipelineLagging")])
    yield graph(
        "Gate",
        "Cries a minute by whether they were learned from, and why not.",
        [Query("60 * sum by (decision, reason) "
               "(rate(vagitus_gate_decisions_total[$__rate_interval]))",
               "{{decision}}: {{reason}}")],
        unit="cpm",
    ).links([runbook("GateRefusingNearlyAll")])  # fmt: skip
    yield graph(
        "Timeline",
        "Rows written and writes that failed, a minute.",
        [
            Query("60 * sum(rate(vagitus_timeline_rows_total[$__rate_interval]))", "rows"),
            Query("60 * sum(rate(vagitus_timeline_failures_total[$__rate_interval]))", "failures"),
        ],
        unit="cpm",
        colours={"failures": MEDIUM},
    )


def _alerts() -> Iterator[Builder[Panel]]:
    lately = "sum by (le) (increase(vagitus_alert_delay_seconds_bucket[1h]))"
    yield graph(
        "Delay of alerts",
        "From the end of the cry that made an alert until Alertmanager had taken it from the "
        "worker, of the hour before; empty while there was none.",
        [
            Query(f"histogram_quantile({share}, {lately})", name)
            for name, share in (("median", 0.5), ("p95", 0.95))
        ],
        unit="s",
    ).links([runbook("AlertsNotDelivered")])
    yield graph(
        "Posts to Alertmanager",
        "Posts a minute by whether Alertmanager took them, and alerts that wait for it.",
        [
            Query("60 * sum by (outcome) (rate(vagitus_alert_posts_total[$__rate_interval]))",
                  "{{outcome}}"),
            Query("sum(vagitus_alerts_waiting)", "waiting"),
        ],
        colours={"failed": MEDIUM},
    ).links([runbook("AlertsNotDelivered")])  # fmt: skip


def _workers() -> Iterator[Builder[Panel]]:
    yield graph(
        "Partitions by worker",
        "Who scores what; a step is a rebalance.",
        [Query("vagitus_owned_partitions", "{{instance}}")],
    )
    yield graph(
        "Commits",
        "Commits a minute; none while a worker is up means that it works for nothing.",
        [Query("60 * rate(vagitus_faust_consumer_commit_latency_count[$__rate_interval])",
               "{{instance}}")],
        unit="cpm",
    ).links([runbook("CommitsStalled")])  # fmt: skip
    yield graph(
        "Processor",
        "Share of a core.",
        [Query(f"rate(process_cpu_seconds_total[$__rate_interval]) {WORKER}", "{{instance}}")],
        unit="percentunit",
    )
    yield graph(
        "Memory",
        "Resident.",
        [Query(f"process_resident_memory_bytes {WORKER}", "{{instance}}")],
        unit="bytes",
    )
