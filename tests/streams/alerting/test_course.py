"""When an infant's cries make an alert, and when they end it."""

import pytest

from streams.alerting.course import Course
from streams.alerting.notices import DEVIATING, DRIFTING
from streams.alerting.thresholds import THRESHOLDS
from tests.streams.ward import START_MS, deviation

FAR = {"p_value": 0.004, "sigma": 3.2, "reason": "deviant", "gate": "held"}
USUAL: dict = {}
MANY = THRESHOLDS.deviant_cries


def course(*cries: dict) -> Course:
    """The course of an infant that cries so, a minute apart."""
    heard = Course()
    for number, changes in enumerate(cries):
        heard.hear(deviation(60 * number, **changes))
    return heard


def test_far_cries_in_a_row_make_the_alert_with_the_end_of_the_last_that_it_takes():
    end_ms = START_MS + 60_000 * (MANY - 1) + 3_000
    assert course(*(MANY - 1) * [FAR]).since_ms == {}
    assert course(*MANY * [FAR]).since_ms == {DEVIATING: end_ms}
    assert course(*(MANY + 1) * [FAR]).since_ms == {DEVIATING: end_ms}
    assert course(*(MANY + 1) * [FAR]).value(DEVIATING) == MANY + 1


@pytest.mark.parametrize("usual", [{"p_value": 0.151}, {"sigma": 0.99}, {"p_value": 0.4}])
def test_a_usual_cry_among_them_begins_the_count_anew(usual):
    nearly = (MANY - 1) * [FAR]
    assert course(*nearly, FAR | usual, *nearly).since_ms == {}


def test_two_usual_cries_in_a_row_end_it_and_one_does_not():
    assert DEVIATING in course(*MANY * [FAR], USUAL, FAR).since_ms
    ended = course(*MANY * [FAR], USUAL, USUAL)
    assert (ended.since_ms, ended.deviant) == ({}, 0)


@pytest.mark.parametrize("reason", ["clipped", "too_quiet", "no_cry", "too_short"])
def test_cries_whose_sound_says_nothing_of_the_infant_neither_make_nor_end_it(reason):
    unfit = FAR | {"reason": reason}
    nearly = (MANY - 1) * [FAR]
    assert course(*nearly, unfit, unfit).since_ms == {}
    assert DEVIATING in course(*nearly, unfit, FAR, USUAL, unfit).since_ms


def test_a_stranger_s_voice_counts_for_an_infant_whose_cry_has_changed_may_seem_one():
    stranger = FAR | {"reason": "someone_else"}
    assert DEVIATING in course(*MANY * [stranger]).since_ms


def test_odd_cries_in_a_row_make_it_though_none_is_deviant():
    odd = {"p_value": 0.12, "sigma": 1.4, "reason": "odd", "gate": "held"}
    assert DEVIATING in course(*MANY * [odd]).since_ms


def test_an_infant_whose_learning_staff_have_paused_is_watched_over_all_the_same():
    paused = FAR | {"reason": "paused"}
    assert DEVIATING in course(*MANY * [paused]).since_ms


def test_a_baseline_that_learns_anew_ends_every_alert():
    learns = {"state": "learning", "reason": "learning", "sigma": None, "p_value": None}
    away = 12 * [FAR | {"drifting": True}]
    assert set(course(*away).since_ms) == {DEVIATING, DRIFTING}
    assert course(*away, learns).since_ms == {}


def test_a_drift_that_outlasts_its_own_memory_makes_the_other_alert():
    drifting = {"drifting": True}
    assert course(*11 * [drifting]).since_ms == {}
    assert set(course(*12 * [drifting]).since_ms) == {DRIFTING}
    assert course(*12 * [drifting], USUAL).since_ms == {}


def test_a_cry_that_is_said_again_counts_once():
    heard = course(FAR, FAR)
    heard.hear(deviation(60, **FAR))
    assert heard.deviant == 2
