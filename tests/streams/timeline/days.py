"""Days of cries that a test can foresee."""

from streams.records.deviation import DeviationRecord
from streams.timeline.acts import Act
from tests.streams.ward import START_MS, deviation

# START_MS is 2023-11-14 22:13:20 UTC.
HOUR, DAY = 3600, 86_400
RESET = Act("act-1", "infant-1", "nicu", "cot-1", START_MS + 2000 * DAY, None, "nurse-4",
            "baseline_reset", "<new> lamp")  # fmt: skip


def learning(second: int) -> DeviationRecord:
    """A first cry, of which nothing is known."""
    nothing = {"sigma": None, "p_value": None, "drift_sigma": None}
    return deviation(second, state="learning", reason="learning", **nothing)


def deviant(second: int, **changes: object) -> DeviationRecord:
    """A cry that is unusual for its infant."""
    facts = {"sigma": 4.2, "p_value": 0.002, "gate": "held", "reason": "deviant"}
    return deviation(second, **{**facts, **changes})


def noisy(second: int) -> DeviationRecord:
    """A cry that is not fit to be learned from, however unusual it looks."""
    return deviant(second, gate="refused", reason="too_noisy")


def a_week() -> list[DeviationRecord]:
    """Seven days: learning, usual, one unfit, then a drift that is over at the end."""
    return [
        learning(0),
        deviation(10, seconds=30.0, sigma=-1.0),
        deviation(2 * DAY, seconds=60.0),
        noisy(2 * DAY + 60),
        deviant(4 * DAY, drifting=True, drift_sigma=1.5),
        deviant(5 * DAY, drifting=True, drift_sigma=1.7),
        deviation(6 * DAY, drift_sigma=0.4),
    ]
