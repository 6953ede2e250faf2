"""Alerts about infants: now, and beside their own days before."""

from collections.abc import Iterator

from deploy.prometheus.alerts.rule import DAY, INFANT, MONITOR, Rule, held, on_infant
from streams.alerting.notices import DEVIATING, DRIFTING, TEXTS, Severity, Text
from streams.alerting.thresholds import Thresholds
from streams.metrics.shown import Share

# Habits are of days: to look every five minutes is enough, and costs little.
HABIT_INTERVAL = 300
HABIT = "infant:vagitus_cry_seconds:increase1d"


def patients(at: Thresholds) -> Iterator[Rule]:
    """What is about an infant now."""
    for name, series, least in (
        (DEVIATING, "vagitus_deviant_cries", at.deviant_cries),
        (DRIFTING, "vagitus_drifting_cries", at.drifting_cries),
    ):
        yield Rule(TEXTS[name], f"{held(series, INFANT, Share.COURSES, at)} >= {least}")
    yield Rule(
        Text(
            "InfantCryingUnattended",
            Severity.MEDIUM,
            "Infant {infant} has been crying for long (ward {ward}, bed {bed})",
            f"Infant {{infant}} has been crying for {(at.crying_for + at.crying_window) // 60} "
            "minutes nearly without a pause.",
        ),
        f"max by ({INFANT}) (avg_over_time(vagitus_cry_active[{at.crying_window}s])) "
        f"> {at.crying_share}",
        at.crying_for,
    )


def habits(at: Thresholds) -> Iterator[Rule]:
    """An infant's day beside its own days before."""
    days = f"{HABIT}[{at.habit_days}d] offset 1d"
    known = f"count_over_time({days}) >= {at.habit_least_days * DAY // HABIT_INTERVAL}"
    yield Rule(
        Text(
            "InfantCryingMore",
            Severity.LOW,
            "Infant {infant} cries far more than it is used to (ward {ward}, bed {bed})",
            f"Infant {{infant}} has cried for {{duration}} within a day: more than "
            f"{at.more_factor:g} times its mean of up to {at.habit_days} days before.",
        ),
        f"""
        {HABIT} > {at.more_factor} * avg_over_time({days})
          and {HABIT} > avg_over_time({days}) + {at.more_spreads} * stddev_over_time({days})
          and {HABIT} > avg_over_time({days}) + {at.more_seconds}
          and {known}
        """,
    )
    heard = on_infant(f"sum by ({MONITOR}) (increase(vagitus_monitor_seconds_total[1d]))", at)
    yield Rule(
        Text(
            "InfantCryingLess",
            Severity.LOW,
            "Infant {infant} cries far less than it is used to (ward {ward}, bed {bed})",
            f"Infant {{infant}} has cried for {{duration}} within a day, though it was heard: "
            f"under {at.less_factor:.0%} of its mean of up to {at.habit_days} days before.",
        ),
        f"""
        {HABIT} < {at.less_factor} * avg_over_time({days})
          and avg_over_time({days}) > {at.less_habit_seconds}
          and {known}
          and on ({INFANT}) sum by ({INFANT}) ({heard}) > {at.less_heard_share * DAY:.0f}
        """,
    )
