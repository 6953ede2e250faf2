"""The monitors: when each was last heard, how loud, and whether it is overdriven."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from grafana.expressions import heard
from grafana.frame import admissions, alerts, choice, frame, runbook, ward
from grafana.parts import Query, graph, tile
from grafana.style import CLEAR, LINE, LOW, MEDIUM, MONITORS_UID, USUAL, steps
from grafana.tables import Column, Sheet, sheet
from streams.alerting.thresholds import THRESHOLDS

WHERE = 'ward="$ward", monitor=~"$monitor"'
BAD_SOUND = {"clipped": MEDIUM, "quiet": LOW, "usable": USUAL}


def of_monitor(series: str) -> str:
    """A gauge of a monitor, from the worker that hears it."""
    return f"max by (monitor) ({series}{{{WHERE}}})"


HEARD = heard(WHERE)
UNHEARD = f"time() - (({HEARD}) > 0)"


def build(runbooks_url: str) -> dashboard.Dashboard:
    """The dashboard, with its runbooks at that address."""
    values = 'label_values(vagitus_monitor_last_chunk_timestamp_seconds{ward="$ward"}, monitor)'
    made = frame(
        MONITORS_UID,
        "Vagitus: monitors",
        "When each monitor was last heard, how loud it is, and whether it is overdriven.",
        runbooks_url,
        [ward(), choice("monitor", "Monitor", values, several=True)],
        [*alerts(WHERE), admissions(WHERE)],
        since="now-1h",
    )
    for panel in (*_now(), _all(), *_over_time()):
        made.with_panel(panel)
    return made


def _now() -> Iterator[Builder[Panel]]:
    yield tile(
        "Monitors",
        "Monitors with an infant.",
        [Query(f"count({HEARD})")],
        missing="none",
        span=8,
    )
    yield tile(
        "Never heard",
        "Admitted, and not a second came.",
        [Query(f"count(({HEARD}) == 0) or vector(0)")],
        colours=steps(LINE, (1, MEDIUM)),
        span=8,
    ).links([runbook("MonitorNeverHeard")])
    yield tile(
        "Silent now",
        f"Heard before, and not for {THRESHOLDS.silent_after} s.",
        [Query(f"count({UNHEARD} > {THRESHOLDS.silent_after}) or vector(0)")],
        colours=steps(LINE, (1, MEDIUM)),
        span=8,
    ).links([runbook("MonitorSilent")])


def _seconds(which: str = "") -> str:
    heard = f"increase(vagitus_monitor_seconds_total{{{WHERE}{which}}}[10m])"
    return f"sum by (monitor) ({heard})"


def _share(sound: str) -> str:
    which = f', sound="{sound}"'
    return f"{_seconds(which)} / ({_seconds()} > 0)"


def _all() -> Builder[Panel]:
    admitted = f"vagitus_admitted_timestamp_seconds{{{WHERE}}}"
    columns = [
        Column("Heard", f"1000 * (({HEARD}) > 0)", unit="dateTimeFromNow"),
        Column("Unheard for", UNHEARD, "s", 0,
               steps=steps(CLEAR, (THRESHOLDS.silent_after, MEDIUM))),
        Column("Level", of_monitor("vagitus_monitor_level_dbfs"), "suffix:dBFS", 0,
               steps=steps(LOW, (THRESHOLDS.quiet_dbfs, CLEAR))),
        Column("Clipped", _share("clipped"), "percentunit", 1,
               steps=steps(CLEAR, (THRESHOLDS.clipped_share, MEDIUM))),
        Column("Too quiet", _share("quiet"), "percentunit", 1,
               steps=steps(CLEAR, (THRESHOLDS.quiet_share, LOW))),
        Column("Admitted", f"1000 * max by (monitor, bed, infant) ({admitted})",
               unit="dateTimeFromNow"),
    ]  # fmt: skip
    return sheet(
        "Every monitor",
        "The longest unheard first; one that was never heard has nothing under Heard. Clipped and "
        "too quiet are shares of the seconds heard in ten minutes.",
        Sheet(
            columns,
            labels={"monitor": "Monitor", "bed": "Cot", "infant": "Infant"},
            first=[("Unheard for", True)],
        ),
        height=10,
    )


def _over_time() -> Iterator[Builder[Panel]]:
    yield graph(
        "Since a second was heard",
        "Real time is under two seconds.",
        [Query(UNHEARD, "{{monitor}}")],
        unit="s",
        bands=steps(CLEAR, (THRESHOLDS.silent_after, MEDIUM)),
        log=True,
    ).links([runbook("MonitorSilent")])
    yield graph(
        "Level",
        "Of the last second heard, in dB of full scale; under the line a microphone is dead or "
        "muted.",
        [Query(of_monitor("vagitus_monitor_level_dbfs"), "{{monitor}}")],
        unit="suffix:dBFS",
        bands=steps(LOW, (THRESHOLDS.quiet_dbfs, CLEAR)),
        softly=(-90, 0),
    ).links([runbook("MonitorTooQuiet")])
    seconds = f"vagitus_monitor_seconds_total{{{WHERE}}}"
    yield graph(
        "What could be made of the sound",
        "Seconds heard a second: usable, clipped (overdriven) or too quiet.",
        [Query(f"sum by (sound) (rate({seconds}[$__rate_interval]))", "{{sound}}")],
        bars=True,
        colours=BAD_SOUND,
    ).links([runbook("MonitorClipped")])
    yield graph(
        "Clipped, by monitor",
        "Share of the seconds heard in ten minutes that were overdriven.",
        [Query(_share("clipped"), "{{monitor}}")],
        unit="percentunit",
        bands=steps(CLEAR, (THRESHOLDS.clipped_share, MEDIUM)),
        softly=(0, 0.3),
    ).links([runbook("MonitorClipped")])
