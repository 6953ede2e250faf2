"""The PromQL that says a cot's state, asked of Prometheus' own engine through promtool."""

import subprocess
from pathlib import Path

import pytest
import yaml

from grafana.expressions import heard, newest, priority, since, state
from tests.deploy.servers import promtool

__all__ = ["promtool"]

WHERE = 'ward="nicu"'
QUIET, CRIES, ALARMED = ({"ward": "nicu", "bed": f"cot-{n}", "infant": f"i{n}"} for n in (1, 2, 3))
CRYING = "vagitus_cry_active"
CHANGED = "vagitus_cry_changed_timestamp_seconds"
ADMITTED = "vagitus_admitted_timestamp_seconds"
COMPARED = "vagitus_deviation_timestamp_seconds"
LAST = "vagitus_monitor_last_chunk_timestamp_seconds"
SIGMA = "vagitus_deviation_sigma"


def series(name: str, **labels: str) -> str:
    """A series as Prometheus writes it."""
    inside = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{inside}}}"


def worker(name: str, cot: dict[str, str], instance: str = "w1") -> str:
    return series(name, **cot, instance=instance)


@pytest.fixture
def ask(promtool, tmp_path: Path):
    """Has promtool compare an expression's values by bed, after a minute of constant series."""

    def compare(
        expression: str, given: dict[str, float | str], wanted: list[tuple[dict, float]]
    ) -> None:
        samples = [{"labels": series("", **cot), "value": value} for cot, value in wanted]
        test = {
            "interval": "15s",
            "input_series": [
                {"series": one, "values": value if isinstance(value, str) else f"{value:g}x8"}
                for one, value in given.items()
            ],
            "promql_expr_test": [{"expr": expression, "eval_time": "1m", "exp_samples": samples}],
        }
        page = tmp_path / "test.yaml"
        page.write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
        line = [promtool, "test", "rules", str(page)]
        done = subprocess.run(line, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return compare


def alert(severity: str, cot: dict[str, str], **more: str) -> dict[str, float]:
    """A firing alert that began at second 30, as Prometheus keeps it."""
    labels = {"severity": severity, "alertname": f"Of{severity}", **cot, **more}
    return {
        series("ALERTS", **labels, alertstate="firing"): 1,
        series("ALERTS_FOR_STATE", **labels): 30,
    }


WARD = {
    worker(CRYING, QUIET): 0,
    worker(CRYING, CRIES): 1,
    worker(CRYING, CRIES, "w2"): 0,
    worker(CRYING, ALARMED): 1,
    worker(CHANGED, QUIET): 0,
    worker(CHANGED, CRIES): 50,
    worker(CHANGED, ALARMED): 55,
    worker(ADMITTED, QUIET | {"monitor": "m1"}): 5,
    worker(ADMITTED, CRIES | {"monitor": "m2"}): 6,
    worker(ADMITTED, ALARMED | {"monitor": "m3"}): 7,
    **alert("low", ALARMED),
    **alert("high", ALARMED),
    **alert("medium", ALARMED, monitor="m3"),
    **alert("high", {}),
    series("ALERTS", severity="high", alertstate="pending", alertname="P", **QUIET): 1,
    series("ALERTS_FOR_STATE", severity="high", alertname="P", **QUIET): 58,
}  # fmt: skip


def test_the_highest_alarm_counts_and_a_pending_one_does_not(ask):
    ask(priority(WHERE), WARD, [(QUIET, 0), (CRIES, 0), (ALARMED, 3)])


def test_without_an_alarm_the_state_is_whether_the_infant_cries_for_any_worker(ask):
    ask(state(WHERE), WARD, [(QUIET, 0), (CRIES, 0.5), (ALARMED, 3)])


def test_since_is_the_alarms_beginning_or_the_last_change_or_the_admission(ask):
    ask(since(WHERE), WARD, [(QUIET, 5_000), (CRIES, 50_000), (ALARMED, 30_000)])


def test_an_alarm_of_lower_priority_is_shown_where_there_is_no_higher(ask):
    given = WARD | alert("medium", QUIET)
    ask(state(WHERE), given, [(QUIET, 2), (CRIES, 0.5), (ALARMED, 3)])


def test_the_last_cry_is_the_newest_one_whichever_worker_compared_it(ask):
    given = {
        worker(COMPARED, QUIET): 100,
        worker(SIGMA, QUIET): 3.5,
        worker(COMPARED, QUIET, "w2"): 200,
        worker(SIGMA, QUIET, "w2"): 0.5,
        worker(COMPARED, CRIES): 100,
        worker(SIGMA, CRIES): 1.5,
    }
    ask(newest(SIGMA, WHERE), given, [(QUIET, 0.5), (CRIES, 1.5)])


def test_a_monitor_s_new_worker_does_not_make_it_unheard_and_one_that_is_let_go_is_left_out(ask):
    ward = {"ward": "nicu"}
    given = {
        series(LAST, **ward, monitor="m1", instance="w1"): 55,
        series(LAST, **ward, monitor="m1", instance="w2"): 0,
        series(LAST, **ward, monitor="m2", instance="w2"): 0,
        series(LAST, **ward, monitor="m3", instance="w1"): "50 50 stale",
    }
    ask(heard(WHERE), given, [({"monitor": "m1"}, 55), ({"monitor": "m2"}, 0)])
