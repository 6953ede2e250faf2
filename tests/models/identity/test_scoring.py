"""Scores are those of the papers, and augmented cries are still that cry."""

import numpy as np
import pytest

from models.identity.clips import CryRecording
from models.identity.runtime import unit_length
from models.identity.scoring import (
    SCORINGS,
    Cohort,
    as_norm_scores,
    centred_scores,
    embed_all,
    plain_scores,
    views,
)
from models.identity.verification import Owner, all_trials

HOUR_MS = 3_600_000
RATE_HZ = 16_000


def owner(infant, hour=0, platform="ios"):
    return Owner(infant, infant, platform, hour * HOUR_MS)


def vectors(count, seed=0):
    return unit_length(np.random.default_rng(seed).normal(size=(count, 8)) + 1)


@pytest.fixture
def cohort():
    return Cohort.of(vectors(12), [owner(f"c{i // 2}") for i in range(12)])


def test_an_infant_of_the_cohort_counts_once_on_each_platform():
    owners = [owner("a"), owner("a", 1), owner("b"), owner("b", platform="android")]
    cohort = Cohort.of(vectors(4), owners)
    assert {name: len(rows) for name, rows in cohort.infants.items()} == {"ios": 2, "android": 1}
    assert np.allclose(np.linalg.norm(cohort.infants["ios"], axis=1), 1, atol=1e-6)


def test_centring_takes_away_what_all_have_in_common(cohort):
    owners = [owner("a"), owner("a", 1), owner("b")]
    trials = all_trials(owners)
    x = vectors(3, seed=1)
    shifted = Cohort(np.zeros(8, np.float32), cohort.infants)
    assert plain_scores(x, owners, trials, cohort) == pytest.approx(
        centred_scores(x, owners, trials, shifted), abs=1e-6
    )
    first = unit_length(x - cohort.centre)
    assert centred_scores(x, owners, trials, cohort)[0] == pytest.approx(first[0] @ first[1])


def test_as_norm_is_that_of_the_paper(cohort):
    owners = [owner("a"), owner("a", 1)]
    trials = all_trials(owners)
    x = unit_length(vectors(2, seed=1) - cohort.centre)
    sides = []
    for row in x:
        against = [member @ row for member in cohort.infants["ios"]]
        sides.append((x[0] @ x[1] - np.mean(against)) / np.std(against))
    (score,) = as_norm_scores(vectors(2, seed=1), owners, trials, cohort)
    assert score == pytest.approx(np.mean(sides), rel=1e-4)


def test_as_norm_judges_by_the_nearest_of_the_cohort_only(cohort, monkeypatch):
    owners = [owner("a"), owner("a", 1)]
    trials = all_trials(owners)
    x = vectors(2, seed=1)
    whole = as_norm_scores(x, owners, trials, cohort)
    monkeypatch.setattr("models.identity.scoring.TOP", 3)
    assert as_norm_scores(x, owners, trials, cohort) < whole


def test_a_platform_that_the_cohort_lacks_is_an_error(cohort):
    owners = [owner("a", platform="android"), owner("a", 1, "android")]
    with pytest.raises(KeyError, match="android"):
        as_norm_scores(vectors(2), owners, all_trials(owners), cohort)


def test_each_scoring_gives_a_score_for_each_pair(cohort):
    owners = [owner(f"i{i // 2}", i) for i in range(6)]
    trials = all_trials(owners)
    for score in SCORINGS.values():
        assert score(vectors(6), owners, trials, cohort).shape == trials.same.shape


def test_views_of_a_cry_are_slower_faster_and_pieces_of_it():
    cry = np.random.default_rng(0).normal(size=5 * RATE_HZ).astype(np.float32)
    whole, slower, faster, *pieces = views(cry)
    assert np.array_equal(whole, cry)
    assert len(slower) > len(cry) > len(faster)
    assert [len(piece) for piece in pieces] == [2 * RATE_HZ] * 3
    assert np.array_equal(pieces[1], cry[RATE_HZ : 3 * RATE_HZ])


def test_no_view_is_too_short_to_embed():
    assert all(len(view) >= RATE_HZ // 2 for view in views(np.ones(RATE_HZ // 2, np.float32)))


def test_a_recording_is_the_mean_of_its_cries():
    first, second = np.zeros(RATE_HZ, np.float32), np.ones(RATE_HZ, np.float32)
    recording = CryRecording("x", "val", "", owner("a"), [first, second], True)
    embedded = embed_all(lambda cry: np.array([1.0, cry[0]], np.float32), [recording])
    assert embedded[0] == pytest.approx(unit_length(np.array([1.0, 0.5])))


def test_an_augmented_recording_is_the_mean_over_the_views_of_its_cries():
    cry = np.ones(3 * RATE_HZ, np.float32)
    recording = CryRecording("x", "val", "", owner("a"), [cry], True)
    seconds = [len(view) / RATE_HZ for view in views(cry)]
    embedded = embed_all(
        lambda view: np.array([1.0, len(view) / RATE_HZ], np.float32), [recording], augment=True
    )
    assert len(seconds) == 4
    assert embedded[0] == pytest.approx(unit_length(np.array([1.0, np.mean(seconds)])))
