"""What a timeline shows, as numbers."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from models.deviation.gate import Decision, Reason
from streams.timeline.figures import (
    DEVIANT_SIGMA,
    Mark,
    drift_times,
    headline,
    local,
    sigma_range,
    spans,
)
from tests.streams.timeline.days import DAY, HOUR, a_week, deviant, learning, noisy
from tests.streams.ward import START_MS, deviation


@pytest.mark.parametrize(
    ("cry", "mark"),
    [
        (learning(0), Mark.LEARNED),
        (deviation(0), Mark.LEARNED),
        (deviant(0), Mark.UNUSUAL),
        (deviant(0, reason="someone_else"), Mark.UNUSUAL),
        (deviation(0, p_value=0.06, gate="held", reason="odd"), Mark.HELD),
        (noisy(0), Mark.REFUSED),
        (deviation(0, gate="refused", reason="too_short"), Mark.REFUSED),
        (deviation(0, gate="refused", reason="a reason of tomorrow"), Mark.REFUSED),
    ],
)
def test_a_cry_is_marked_by_what_became_of_it(cry, mark):
    assert Mark.of(cry) is mark


MARKS = {
    Decision.ACCEPTED: Mark.LEARNED,
    Decision.HELD: Mark.HELD,
    Decision.REFUSED: Mark.REFUSED,
}


def test_every_reason_of_the_gate_has_a_mark():
    for reason in Reason:
        cry = deviation(0, reason=reason.value, gate=reason.decision.value)
        assert Mark.of(cry) is MARKS[reason.decision]


def test_a_week_is_shown_by_the_day_and_days_without_a_cry_are_there():
    days = spans(a_week(), UTC)
    assert [day.begin for day in days] == [
        datetime(2023, 11, 14) + timedelta(days=number) for number in range(7)
    ]
    assert [day.cries for day in days] == [2, 0, 2, 0, 1, 1, 1]
    assert [day.minutes for day in days] == pytest.approx([0.55, 0, 1.05, 0, 0.05, 0.05, 0.05])
    assert [day.unusual for day in days] == [0, 0, 0, 0, 1, 1, 0]
    # What the noise was like says nothing about the infant.
    assert [day.sigma for day in days] == [-1.0, None, 0.5, None, 4.2, 4.2, 0.5]
    assert [day.drift_sigma for day in days] == [0.2, None, 0.2, None, 1.5, 1.7, 0.4]
    assert [day.drifting for day in days] == [False] * 4 + [True, True, False]


def test_a_short_time_is_shown_by_the_hour_of_the_zone_asked_for():
    cries = [deviation(0), deviation(2 * HOUR)]
    begins = [span.begin for span in spans(cries, timezone(timedelta(hours=3)))]
    assert begins == [datetime(2023, 11, 15, hour) for hour in (1, 2, 3)]
    assert len(spans([deviation(0), deviation(4 * DAY)], UTC)) == 5


def test_drift_lasts_from_the_cry_that_says_so_to_the_first_that_does_not():
    cries = a_week()
    assert list(drift_times(cries)) == [(START_MS + 4000 * DAY, START_MS + 6000 * DAY)]
    assert list(drift_times(cries[:5])) == [(START_MS + 4000 * DAY, START_MS + 4000 * DAY)]
    assert list(drift_times(cries[:4])) == []


def test_the_drawing_holds_the_bands_and_every_cry():
    low, high = sigma_range([deviation(0)])
    assert (low, high) == (-3, 4)
    assert low < -2 < DEVIANT_SIGMA < high
    assert sigma_range([deviant(0, sigma=17.2), deviation(1, sigma=-5.5)]) == (-6, 18)
    assert sigma_range([learning(0)]) == (-3, 4)


def test_the_headline_says_who_where_how_many_and_how_far():
    assert headline(a_week(), UTC) == (
        "infant-1 · nicu cot-1 · 7 cries · 2023-11-14 22:13 – 2023-11-20 22:13 · "
        "ready, 9 cries learned"
    )
    assert "1 cry ·" in headline([deviation(0)], UTC)


def test_local_time_is_wall_clock_time():
    assert local(START_MS, UTC) == datetime(2023, 11, 14, 22, 13, 20)
