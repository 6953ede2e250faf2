"""Trials obey the protocol, and the equal-error rate is the one on paper."""

import numpy as np
import pytest

from models.identity.verification import (
    MINIMUM_GAP_MS,
    Owner,
    all_trials,
    cosines,
    equal_error_rate,
    measure,
    verify,
)

HOUR_MS = 3_600_000


def recording(infant, hour=0.0, group=None, platform="ios"):
    return Owner(infant, group or infant, platform, int(hour * HOUR_MS))


def pairs(*recordings):
    trials = all_trials(recordings)
    return {
        (int(a), int(b)): bool(s)
        for a, b, s in zip(trials.first, trials.second, trials.same, strict=True)
    }


def test_two_recordings_of_one_infant_an_hour_apart_are_a_trial():
    assert pairs(recording("a"), recording("a", 1)) == {(0, 1): True}


def test_recordings_half_an_hour_apart_or_less_are_none():
    gap = MINIMUM_GAP_MS / HOUR_MS
    assert pairs(recording("a"), recording("a", gap)) == {}
    assert pairs(recording("a", gap), recording("a", 0)) == {}


def test_different_infants_meet_at_any_time_but_on_one_platform_only():
    assert pairs(recording("a"), recording("b")) == {(0, 1): False}
    assert pairs(recording("a"), recording("b", platform="android")) == {}


def test_two_identities_of_one_install_are_left_out():
    assert pairs(recording("x-f", group="x"), recording("x-m", group="x")) == {}


def test_equal_error_rate_of_separated_scores_is_zero_and_of_reversed_ones_one():
    same = np.array([True, True, False, False])
    assert equal_error_rate(np.array([0.9, 0.8, 0.2, 0.1]), same) == 0
    assert equal_error_rate(np.array([0.1, 0.2, 0.8, 0.9]), same) == 1


def test_equal_error_rate_counts_by_hand():
    # At a threshold of 0.5, one of four same pairs is missed and one of four others let in.
    same = np.array([True] * 4 + [False] * 4)
    scores = np.array([0.9, 0.8, 0.7, 0.3, 0.6, 0.2, 0.1, 0.0])
    assert equal_error_rate(scores, same) == pytest.approx(0.25)


def test_scores_that_say_nothing_are_wrong_half_the_time():
    # Sorted as they stand, a count that parts equal scores would be right every time.
    same = np.array([True, True, False, False])
    assert equal_error_rate(np.full(4, 0.3), same) == pytest.approx(0.5)


def test_a_pair_with_weight_zero_is_not_there():
    same = np.array([True, True, False, False])
    scores = np.array([0.9, 0.0, 0.2, 0.1])
    assert equal_error_rate(scores, same) > 0
    assert equal_error_rate(scores, same, np.array([1.0, 0.0, 1.0, 1.0])) == 0


def test_the_rate_lies_in_its_interval_and_comes_out_the_same_twice():
    rng = np.random.default_rng(0)
    recordings = [recording(f"i{i}", hour) for i in range(12) for hour in range(4)]
    voices = rng.normal(size=(12, 8)).repeat(4, axis=0) + 0.8 * rng.normal(size=(48, 8))
    embeddings = voices / np.linalg.norm(voices, axis=1, keepdims=True)
    figure = verify(embeddings, recordings)
    assert 0 < figure.low < figure.rate < figure.high < 0.5
    assert (figure.same_pairs, figure.infants, figure.paired_infants) == (12 * 6, 12, 12)
    assert figure == verify(embeddings, recordings)


def test_without_a_pair_the_rate_is_not_a_number():
    assert np.isnan(verify(np.eye(2), [recording("a"), recording("b")]).rate)
    assert np.isnan(verify(np.ones((1, 2)), [recording("a")]).rate)


def test_an_infant_with_many_recordings_has_one_vote_among_others():
    # One infant of ten recordings that look alike, five of two that do not.
    many = [recording("many", hour) for hour in range(10)]
    few = [recording(f"few{i}", hour) for i in range(5) for hour in range(2)]
    rng = np.random.default_rng(1)
    embeddings = rng.normal(size=(20, 16))
    embeddings[:10] = embeddings[0]
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    figure = verify(embeddings, many + few)
    assert figure.rate < 0.15
    assert figure.by_infant > 0.3


def test_parts_are_measured_each_by_itself():
    rng = np.random.default_rng(0)
    recordings = [recording(f"i{i}", hour) for i in range(6) for hour in range(3)]
    trials = all_trials(recordings)
    voices = rng.normal(size=(6, 8)).repeat(3, axis=0) + 0.8 * rng.normal(size=(18, 8))
    scores = cosines(voices / np.linalg.norm(voices, axis=1, keepdims=True), trials)
    alone, shifted = measure([(scores, trials)]), measure([(scores, trials), (scores + 5, trials)])
    assert shifted.rate == pytest.approx(alone.rate)
    assert (shifted.same_pairs, shifted.infants) == (2 * alone.same_pairs, 2 * alone.infants)
    assert shifted.high - shifted.low < alone.high - alone.low
