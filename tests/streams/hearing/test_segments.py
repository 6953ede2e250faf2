"""When a cry begins, goes on and ends: the segmenter by itself."""

from dataclasses import replace

import numpy as np
import pytest

from streams.hearing.segments import HeardSecond, Segmenter, SegmentRules
from streams.records.cry_scores import CryScore

RULES = SegmentRules(onset_score=0.5, offset_score=0.3, hangover_seconds=2, minimum_seconds=2)


def segments(scores: list[float], rules: SegmentRules = RULES) -> list[list[float]]:
    """The scores of each segment that is long enough, the one open at the end too."""
    segmenter = Segmenter(rules)
    closed = []
    for number, score in enumerate(scores):
        said = CryScore("a", number, 1000 * number, score, -30.0, 0.0)
        if segmenter.hear(HeardSecond(said, np.zeros(8000, np.float32), 8000, number)):
            closed.append(segmenter.close()[0])
    if segmenter.is_open:
        closed.append(segmenter.close()[0])
    return [[second.score.score for second in segment] for segment in closed if segment]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.49, 0.49, 0.49], []),
        ([0.49, 0.5, 0.5], [[0.5, 0.5]]),
        # Between the two lines nothing opens, and what is open stays so.
        ([0.4, 0.9, 0.3, 0.3, 0.3, 0.9], [[0.9, 0.3, 0.3, 0.3, 0.9]]),
        ([0.9, 0.9, 0.29, 0.29, 0.4], [[0.9, 0.9]]),
        # One second under the line after another, not two in all.
        ([0.9, 0.9, 0.2, 0.9, 0.2, 0.9], [[0.9, 0.9, 0.2, 0.9, 0.2, 0.9]]),
        ([0.9, 0.9, 0.2], [[0.9, 0.9]]),
        ([0.9, 0.0, 0.0], []),
        ([0.9, 0.9, 0.0, 0.0, 0.8, 0.8], [[0.9, 0.9], [0.8, 0.8]]),
    ],
)
def test_a_cry_opens_at_the_onset_and_ends_after_the_hangover(scores, expected):
    assert segments(scores) == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.6, 0.89, 0.6, 0.2, 0.2], []),
        ([0.6, 0.9, 0.6, 0.2, 0.2], [[0.6, 0.9, 0.6]]),
        # The one before does not make the next one sure.
        ([0.9, 0.9, 0.2, 0.2, 0.6, 0.6, 0.2, 0.2], [[0.9, 0.9]]),
    ],
)
def test_a_cry_of_which_no_second_is_sure_is_dropped(scores, expected):
    assert segments(scores, replace(RULES, sure_score=0.9)) == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # Calls of a second each, with pauses: long enough together, but never a cry that goes on.
        ([0.95, 0.1, 0.95, 0.1, 0.95], []),
        # What goes on is not sure, and what is sure does not go on.
        ([0.6, 0.6, 0.1, 0.95, 0.1, 0.6], []),
        ([0.6, 0.1, 0.3, 0.95, 0.1, 0.6], [[0.6, 0.1, 0.3, 0.95, 0.1, 0.6]]),
        ([0.95, 0.3, 0.1, 0.1], [[0.95, 0.3]]),
        ([0.95, 0.29, 0.1, 0.1], []),
    ],
)
def test_a_sure_second_by_itself_is_no_cry(scores, expected):
    assert segments(scores, replace(RULES, sure_score=0.9)) == expected


def test_where_one_second_is_enough_it_may_be_by_itself():
    rules = replace(RULES, sure_score=0.9, minimum_seconds=1)
    assert segments([0.95, 0.1, 0.1, 0.6, 0.6, 0.1, 0.1], rules) == [[0.95]]


def test_so_many_seconds_in_a_row_as_are_asked_for():
    rules = replace(RULES, minimum_seconds=3)
    assert segments([0.9, 0.9, 0.1, 0.9, 0.9, 0.1, 0.1], rules) == []
    assert segments([0.9, 0.9, 0.1, 0.9, 0.9, 0.3, 0.1], rules) == [[0.9, 0.9, 0.1, 0.9, 0.9, 0.3]]


def test_a_cry_as_long_as_a_segment_may_be_is_cut_and_goes_on_as_the_next():
    rules = SegmentRules(0.5, 0.3, 2, 1, maximum_seconds=3)
    assert [len(cry) for cry in segments([0.9] * 7, rules)] == [3, 3, 1]


def test_nothing_is_open_before_a_cry():
    assert not Segmenter(RULES).is_open
    assert Segmenter(RULES).close() == ([], [])
