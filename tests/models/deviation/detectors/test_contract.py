"""What every personal detector promises, whichever it is."""

import numpy as np
import pytest
from river.base import AnomalyDetector

from models.deviation.detectors import DETECTORS


@pytest.fixture(params=DETECTORS, ids=lambda detector: detector.__name__)
def make(request, ward):
    return lambda: request.param(ward)


def test_it_is_a_detector_of_river(make):
    assert isinstance(make(), AnomalyDetector)


def test_it_ranks_other_infants_above_its_own(make, nursery):
    rng = np.random.default_rng(21)
    own, others = [], []
    for _ in range(20):
        infant, detector = nursery.infant(rng), make()
        for cry in nursery.cries(infant, 12, rng):
            detector.learn_one(cry)
        own += [detector.score_one(cry) for cry in nursery.cries(infant, 3, rng)]
        others += [
            detector.score_one(nursery.cries(nursery.infant(rng), 1, rng)[0]) for _ in range(3)
        ]
    assert np.mean(np.array(others)[:, None] > np.array(own)) > 0.9


def test_a_dict_of_features_scores_like_the_array(make, nursery):
    rng = np.random.default_rng(22)
    by_array, by_dict = make(), make()
    for cry in nursery.cries(nursery.infant(rng), 5, rng):
        features = dict(enumerate(cry.tolist()))
        assert by_array.score_one(cry) == by_dict.score_one(dict(reversed(features.items())))
        by_array.learn_one(cry)
        by_dict.learn_one(features)


def test_scoring_teaches_nothing(make, nursery):
    rng = np.random.default_rng(23)
    detector = make()
    first, second = nursery.cries(nursery.infant(rng), 2, rng)
    detector.learn_one(first)
    assert detector.score_one(second) == detector.score_one(second)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_non_finite_cry_is_refused_and_leaves_no_trace(make, nursery, bad):
    rng = np.random.default_rng(24)
    detector, infant = make(), nursery.infant(rng)
    for cry in nursery.cries(infant, 3, rng):
        detector.learn_one(cry)
    probe, broken = nursery.cries(infant, 2, rng)
    before = detector.score_one(probe)
    broken[5] = bad
    for call in (detector.learn_one, detector.score_one):
        with pytest.raises(ValueError, match="not finite"):
            call(broken)
        with pytest.raises(ValueError, match="not finite"):
            call(dict(enumerate(broken.tolist())))
    assert detector.score_one(probe) == before


def test_a_cry_of_another_size_is_refused(make):
    detector = make()
    for wrong in (np.zeros(191), np.zeros((1, 192)), {0: 1.0}, {i + 1: 0.0 for i in range(192)}):
        with pytest.raises(ValueError):
            detector.score_one(wrong)


def test_arrays_put_away_and_taken_out_score_alike(make, nursery):
    rng = np.random.default_rng(25)
    kept, infant = make(), nursery.infant(rng)
    for cry in nursery.cries(infant, 150, rng):
        moved = make()
        moved.from_arrays(kept.to_arrays())
        assert moved.score_one(cry) == kept.score_one(cry)
        kept.learn_one(cry)


def test_the_callers_array_stays_as_it_was(make, nursery):
    cry = nursery.cries(nursery.infant(np.random.default_rng(26)), 1, np.random.default_rng(27))[0]
    copy, detector = cry.copy(), make()
    detector.learn_one(cry)
    detector.score_one(cry)
    assert np.array_equal(cry, copy)
