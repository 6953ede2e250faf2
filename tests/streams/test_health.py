"""What a page of metrics says of a worker's progress."""

import subprocess
import sys

import pytest

from streams.alerting.thresholds import THRESHOLDS
from streams.errors import SettingsError
from streams.health import COMMITS_STALLED_SECONDS, SCORING_STALLED_SECONDS, judge, metrics_url
from streams.settings import Settings

STARTED = 1_800_000_000.0


def page(received: float = 0, scored: float = 0, committed: float = 0, owned: int = 4) -> str:
    """As a worker says it; times are seconds after its start, 0 for never."""
    times = {"received": received, "batch": scored, "commit": committed}
    lines = [f"process_start_time_seconds {STARTED}", f"vagitus_owned_partitions {owned}"]
    for name, at in times.items():
        lines.append(f"vagitus_last_{name}_timestamp_seconds {STARTED + at if at else 0}")
    return "\n".join(lines) + "\n"


def faults(at: float, *, ready: bool = False, **figures: float) -> str:
    return " ".join(judge(page(**figures), STARTED + at, ready))


def test_patience_is_that_of_the_alerts():
    assert THRESHOLDS.scoring_stalled == SCORING_STALLED_SECONDS
    assert THRESHOLDS.commits_stalled == COMMITS_STALLED_SECONDS


def test_a_worker_that_scores_and_commits_is_well():
    assert faults(101, received=100.9, scored=100.5, committed=99) == ""


def test_a_worker_that_was_never_sent_sound_is_well():
    assert faults(9000) == ""


def test_a_worker_whose_sound_has_ended_is_well():
    assert faults(9000, received=100, scored=100.2, committed=99.5) == ""


def test_the_first_sound_is_scored_and_committed_in_time():
    assert faults(20, received=20) == ""
    assert faults(20, received=19.9, scored=19.8) == ""


def test_sound_that_was_taken_and_not_scored_is_a_standstill():
    assert "has scored none for 40 s" in faults(140, received=100.4, scored=100, committed=99)
    assert "has scored none for 40 s" in faults(40, received=5)


def test_scores_without_commits_are_a_standstill():
    assert "commits are 70 s behind" in faults(170, received=170, scored=169.5, committed=99.5)
    assert "commits are 90 s behind" in faults(90, received=90, scored=90)


def test_a_worker_without_partitions_is_alive_but_not_ready():
    assert faults(10, owned=0) == ""
    assert "owns no partition" in faults(10, owned=0, ready=True)
    assert faults(10, owned=1, ready=True) == ""


def test_asking_loads_no_model():
    program = (
        "import sys, streams.cli, streams.commands.health, streams.health; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert {"numpy", "faust", "models"} & set(done.stdout.split()) == set()


def test_another_programs_metrics_are_not_a_worker():
    assert judge("process_start_time_seconds 1\n", 2.0) == [
        "These are not the metrics of a worker."
    ]


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("10.1.2.3", "10.1.2.3")],
)
def test_a_worker_is_asked_where_it_listens(host, address):
    settings = Settings(metrics_host=host, metrics_port=9464)
    assert metrics_url(settings) == f"http://{address}:9464/metrics"


def test_a_worker_on_a_free_port_cannot_be_found():
    with pytest.raises(SettingsError, match="VAGITUS_METRICS_PORT"):
        metrics_url(Settings(metrics_port=0))
