"""When quiet hours are, in their own time zone, and what they cannot be."""

from datetime import datetime

import pytest

from streams.errors import RefusedMessage
from streams.records.quiet_hours import QuietHours

BERLIN = "Europe/Berlin"


def hours(begins: str = "21:00", ends: str = "06:00", **changes: object) -> QuietHours:
    fields = {"ward": "nicu", "zone": BERLIN, "up_to": "medium", "at_ms": 0, "who": "head-nurse"}
    return QuietHours(**{"begins": begins, "ends": ends, **fields, **changes})


def ms(moment: str) -> int:
    return round(1000 * datetime.fromisoformat(moment).timestamp())


@pytest.mark.parametrize(
    ("now", "begins", "ends"),
    [
        ("2026-11-21T20:59:59+01:00", "2026-11-21T21:00+01:00", "2026-11-22T06:00+01:00"),
        ("2026-11-21T23:00+01:00", "2026-11-21T21:00+01:00", "2026-11-22T06:00+01:00"),
        ("2026-11-22T05:59:59+01:00", "2026-11-21T21:00+01:00", "2026-11-22T06:00+01:00"),
        ("2026-11-22T06:00+01:00", "2026-11-22T21:00+01:00", "2026-11-23T06:00+01:00"),
        # Over the nights in which clocks are put back and forward.
        ("2026-10-24T22:00+02:00", "2026-10-24T21:00+02:00", "2026-10-25T06:00+01:00"),
        ("2026-03-28T22:00+01:00", "2026-03-28T21:00+01:00", "2026-03-29T06:00+02:00"),
    ],
)
def test_hours_over_night_end_the_next_morning_by_the_wards_clock(now, begins, ends):
    assert hours().window(ms(now)) == (ms(begins), ms(ends))


def test_hours_of_a_day_end_on_it():
    window = hours("12:30", "14:00").window(ms("2026-11-21T14:00+01:00"))
    assert window == (ms("2026-11-22T12:30+01:00"), ms("2026-11-22T14:00+01:00"))


def test_hours_that_a_day_does_not_have_are_those_of_the_next():
    window = hours("02:30", "03:00").window(ms("2026-03-29T01:00+01:00"))
    assert window == (ms("2026-03-30T02:30+02:00"), ms("2026-03-30T03:00+02:00"))


def test_what_is_high_is_never_quieted():
    assert hours(up_to="medium").quieted == ("low", "medium")
    assert hours(up_to="low").quieted == ("low",)


@pytest.mark.parametrize(
    "changes",
    [
        {"ward": "a ward"},
        {"ward": ""},
        {"begins": "24:00"},
        {"ends": "6:00"},
        {"ends": 600},
        {"begins": "06:00"},
        {"zone": "Mars/Olympus"},
        {"zone": "../etc/passwd"},
        {"zone": ""},
        {"zone": None},
        {"up_to": "high"},
        {"at_ms": "now"},
        {"who": ""},
        {"why": "two\nlines"},
        {"why": "x" * 1001},
    ],
)
def test_what_are_no_hours_is_refused(changes):
    with pytest.raises(RefusedMessage):
        hours(**changes)


def test_a_rule_comes_back_as_it_was():
    rule = hours(why="so that they sleep")
    assert QuietHours.from_json(rule.to_json()) == rule
    assert rule.id == "nicu/21:00-06:00"
