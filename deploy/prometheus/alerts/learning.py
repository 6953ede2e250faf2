"""Alerts about baselines that do not become of use."""

from collections.abc import Iterator

from deploy.prometheus.alerts.rule import DAY, INFANT, Rule, held
from streams.alerting.notices import Severity, Text
from streams.alerting.thresholds import Thresholds
from streams.metrics.shown import Share


def learning(at: Thresholds) -> Iterator[Rule]:
    """What keeps baselines from becoming of use."""
    admitted = held("vagitus_admitted_timestamp_seconds", INFANT, Share.SOUND, at)
    yield Rule(
        Text(
            "BaselineStuckLearning",
            Severity.LOW,
            "The baseline of infant {infant} does not get ready (ward {ward}, bed {bed})",
            f"Infant {{infant}} has been here for a day and has cried, but of its cries only "
            f"{{value}} could be learned from; {at.ready_cries} are needed. Until then no cry of "
            "it can deviate.",
        ),
        f"""
        max by ({INFANT}) (max_over_time(vagitus_baseline_segments[1d])) < {at.ready_cries}
          and on ({INFANT}) time() - {admitted}
            > {at.learning_seconds}
          and on ({INFANT}) sum by ({INFANT}) (increase(vagitus_cry_seconds_total[1d]))
            > {at.learning_cry_seconds}
        """,
    )
    paused = held("vagitus_learning_paused_timestamp_seconds", INFANT, Share.BASELINES, at)
    yield Rule(
        Text(
            "BaselinePausedForLong",
            Severity.LOW,
            "Nothing is learned of infant {infant} (ward {ward}, bed {bed})",
            f"Staff paused the learning from infant {{infant}}'s cries {{duration}} ago, more than "
            f"{at.paused_seconds // DAY} days: its baseline no longer follows it as it grows.",
        ),
        f"time() - ({paused} > 0) > {at.paused_seconds}",
    )
    asked = f'reason!~"unassigned|paused"}}[{at.refused_window}s]'
    every = f"sum(increase(vagitus_gate_decisions_total{{{asked}))"
    # What is held back may be learned from later, but where nearly all is, nothing is.
    refused = f'sum(increase(vagitus_gate_decisions_total{{decision!="accepted", {asked}))'
    yield Rule(
        Text(
            "GateRefusingNearlyAll",
            Severity.LOW,
            "Hardly a cry is learned from",
            "The gate has refused or held back {percent} of the last hours' cries: baselines no "
            "longer follow their infants.",
        ),
        f"{refused} / {every} > {at.refused_share}\n  and {every} >= {at.refused_least}",
    )
