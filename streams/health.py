"""Whether a worker makes progress, by its own /metrics: what health checks and probes ask.

A process that answers may still hear nobody. So what is asked is whether sound that was taken from
the broker has been scored, and what was scored committed, within the times of the alerts. A worker
that nobody sends sound to is healthy: to start it again would help nobody.
"""

import time
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from streams.errors import SettingsError
from streams.settings import Settings

ANSWER_SECONDS = 5.0
# As the alerts': said again, for to import those loads half of the models, every few seconds.
SCORING_STALLED_SECONDS = 30
COMMITS_STALLED_SECONDS = 60
# Where a server listens that listens everywhere.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
STARTED = "process_start_time_seconds"
RECEIVED = "vagitus_last_received_timestamp_seconds"
SCORED = "vagitus_last_batch_timestamp_seconds"
COMMITTED = "vagitus_last_commit_timestamp_seconds"
OWNED = "vagitus_owned_partitions"


def metrics_url(settings: Settings) -> str:
    """Where the worker with these settings serves its metrics on this machine.

    Raises:
        SettingsError: it took a free port, which nobody else knows.
    """
    if not settings.metrics_port:
        raise SettingsError("VAGITUS_METRICS_PORT is 0, a free port: name the worker's own.")
    host = EVERYWHERE.get(settings.metrics_host, settings.metrics_host)
    return f"http://{host}:{settings.metrics_port}/metrics"


def complaints(settings: Settings, ready: bool = False) -> list[str]:
    """What is wrong with this machine's worker, a sentence each; empty if nothing is.

    Args:
        settings: of the worker.
        ready: whether it must own partitions too.
    """
    url = metrics_url(settings)
    try:
        with urlopen(url, timeout=ANSWER_SECONDS) as answer:
            page = answer.read().decode()
    except (URLError, HTTPException, OSError) as error:
        return [f"{url} does not answer: {getattr(error, 'reason', error)}."]
    return judge(page, time.time(), ready)


def judge(page: str, now: float, ready: bool = False) -> list[str]:
    """The same of a page of metrics that was read at `now`, in seconds since 1970."""
    figures = {
        sample.name: sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if not sample.labels
    }
    if RECEIVED not in figures:
        return ["These are not the metrics of a worker."]
    started = figures.get(STARTED, 0.0)
    # What has not happened yet counts from the start.
    scored = max(figures[SCORED], started)
    committed = max(figures[COMMITTED], started)
    found = []
    # By the clock: a worker that is stuck soon takes nothing more, so that `received` stands too.
    if figures[RECEIVED] > scored and now - scored > SCORING_STALLED_SECONDS:
        found.append(f"It has sound, and has scored none for {now - scored:.0f} s.")
    # Not by the clock: where there is no sound there is nothing to commit.
    if scored - committed > COMMITS_STALLED_SECONDS:
        found.append(f"Its commits are {scored - committed:.0f} s behind its scores.")
    if ready and not figures[OWNED]:
        found.append("It owns no partition: it has just begun, or no broker answers it.")
    return found
