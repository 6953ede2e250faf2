"""Every alert and recording rule, in groups: one a file of rules."""

from collections.abc import Iterator

from deploy.prometheus.alerts.learning import learning
from deploy.prometheus.alerts.monitors import monitors
from deploy.prometheus.alerts.patients import HABIT, HABIT_INTERVAL, habits, patients
from deploy.prometheus.alerts.pipeline import pipeline
from deploy.prometheus.alerts.rule import INFANT
from streams.alerting.notices import Addresses
from streams.alerting.thresholds import Thresholds

HERE = Addresses()


def groups(thresholds: Thresholds, at: Addresses = HERE) -> Iterator[dict]:
    """The groups of rules, one a file."""
    for name, rules in (
        ("patients", patients(thresholds)),
        ("monitors", monitors(thresholds)),
        ("learning", learning(thresholds)),
        ("pipeline", pipeline(thresholds)),
    ):
        yield {"name": f"vagitus-{name}", "rules": [rule.page(at) for rule in rules]}
    record = {
        "record": HABIT,
        "expr": f"sum by ({INFANT}) (increase(vagitus_cry_seconds_total[1d]))",
    }
    yield {
        "name": "vagitus-habits",
        "interval": f"{HABIT_INTERVAL}s",
        "rules": [record, *(rule.page(at) for rule in habits(thresholds))],
    }
