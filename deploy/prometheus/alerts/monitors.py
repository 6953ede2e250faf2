"""Alerts about monitors where an infant is admitted."""

from collections.abc import Iterator
from functools import partial

from deploy.prometheus.alerts.rule import MONITOR, Rule, on_infant
from streams.alerting.notices import Severity, Text
from streams.alerting.thresholds import Thresholds


def monitors(at: Thresholds) -> Iterator[Rule]:
    """What is about a monitor where an infant is admitted."""
    last = (
        f"max by ({MONITOR}) (max_over_time("
        f"vagitus_monitor_last_chunk_timestamp_seconds[{at.remember_monitor}s]))"
    )
    text = partial(_monitor_text, where="(ward {ward}, bed {bed})")
    yield Rule(
        text(
            "MonitorSilent",
            Severity.MEDIUM,
            "Nothing is heard of monitor {monitor}",
            "Monitor {monitor} of infant {infant} has sent no sound for {duration}: nobody listens "
            "to this infant.",
        ),
        f"{on_infant(f'time() - ({last} > 0)', at)} > {at.silent_after}",
    )
    yield Rule(
        text(
            "MonitorNeverHeard",
            Severity.MEDIUM,
            "Monitor {monitor} has never been heard",
            "Infant {infant} is admitted at monitor {monitor}, which has sent no sound yet: nobody "
            "listens to this infant.",
        ),
        f"{on_infant(last, at)} == 0",
        at.never_heard_for,
    )
    for sound, share, name, summary, description in (
        ("clipped", at.clipped_share, "MonitorClipped", "Monitor {monitor} is overdriven",
         "{percent} of what monitor {monitor} of infant {infant} sends is clipped: nothing is "
         "learned from it, and cries may go unheard."),
        ("quiet", at.quiet_share, "MonitorTooQuiet", "Monitor {monitor} hears nothing",
         "{percent} of what monitor {monitor} of infant {infant} sends is quieter than any room: "
         "its microphone may be muted, covered or broken."),
    ):  # fmt: skip
        seconds = f"increase(vagitus_monitor_seconds_total[{at.sound_window}s])"
        some = seconds.replace("[", f'{{sound="{sound}"}}[')
        part = f"sum by ({MONITOR}) ({some}) / sum by ({MONITOR}) ({seconds})"
        yield Rule(
            text(name, Severity.LOW, summary, description),
            f"{on_infant(part, at)} > {share}\n"
            f"  and on ({MONITOR}) sum by ({MONITOR}) ({seconds}) > {at.sound_least_seconds}",
        )


def _monitor_text(
    name: str, severity: Severity, summary: str, description: str, where: str
) -> Text:
    return Text(name, severity, f"{summary} {where}", description)
