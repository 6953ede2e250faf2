"""The stream's segments are judged as a person would judge them."""

import math

import pytest

from streams.evaluation import Heard, episodes, evaluate, segments_of
from streams.hearing.segments import SegmentRules

RULES = SegmentRules(onset_score=0.5, offset_score=0.3, hangover_seconds=2, minimum_seconds=1)


def cry(scores, intervals) -> Heard:
    return Heard(scores, intervals, is_cry=True, kind="cry")


def test_segments_are_those_that_the_stream_cuts():
    assert segments_of([0.1, 0.9, 0.4, 0.1, 0.9, 0.1, 0.1, 0.9], RULES) == [(1, 5), (7, 8)]


def test_short_pauses_do_not_part_a_cry():
    assert episodes([(4, 5), (0, 1), (2.5, 3)]) == [(0, 5)]
    assert episodes([(0, 1), (3, 4)]) == [(0, 1), (3, 4)]


def test_what_is_too_short_for_a_second_to_count_as_a_cry_is_no_episode():
    assert episodes([(0, 0.2), (5, 5.2), (6, 6.2)]) == [(5, 6.2)]


def test_a_cry_that_is_heard_is_found_and_its_delay_ends_with_the_second_that_opened_it():
    figures = evaluate([cry([0, 0, 0.9, 0.9, 0.9, 0, 0], [(1.75, 5.0)])], RULES)
    assert (figures.precision, figures.recall) == (1, 1)
    assert figures.delay(0.5) == pytest.approx(3 - 1.75)


def test_a_segment_beside_the_cry_is_wrong_and_the_cry_is_missed():
    figures = evaluate([cry([0.9, 0.9, 0, 0, 0, 0, 0, 0], [(5.0, 7.0)])], RULES)
    assert (figures.segments, figures.right_segments) == (1, 0)
    assert (figures.episodes, figures.found_episodes) == (1, 0)
    assert math.isnan(figures.delay(0.5))


def test_a_segment_that_is_mostly_pause_is_wrong():
    assert evaluate([cry([0.9] * 10, [(0.0, 4.0)])], RULES).right_segments == 0
    assert evaluate([cry([0.9] * 10, [(0.0, 6.0)])], RULES).right_segments == 1


def test_every_segment_in_other_sound_is_false_and_counted_by_kind():
    cat = Heard([0.9] + [0.0] * 3599, None, is_cry=False, kind="cat")
    figures = evaluate([cat, Heard([0.0] * 3600, None, is_cry=False, kind="rain")], RULES)
    assert figures.false_segments == {"cat": 1, "rain": 0}
    assert figures.false_per_day == pytest.approx(12)
    assert math.isnan(figures.precision)


def test_a_cry_that_nobody_marked_counts_for_nothing():
    figures = evaluate([Heard([0.9] * 5, None, is_cry=True, kind="cry")], RULES)
    assert (figures.segments, figures.other_seconds) == (0, 0)
