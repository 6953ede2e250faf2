import numpy as np
import pytest

from models.deviation.detectors.gaussian import GaussianDetector


def test_the_running_mean_and_scatter_are_those_of_all_cries(ward, nursery):
    rng = np.random.default_rng(31)
    cries = nursery.cries(nursery.infant(rng), 20, rng)
    detector = GaussianDetector(ward)
    for cry in cries:
        detector.learn_one(cry)
    whitened = np.array([ward.whiten(cry.astype(np.float64)) for cry in cries])
    mean = whitened.mean(axis=0)
    expected = ward.believe(mean, ward.scatter(whitened), 20)
    assert np.allclose(detector.belief.mean, expected.mean)
    assert detector.belief.spread == pytest.approx(expected.spread)


def test_a_scattered_infant_is_given_a_wider_spread(ward, nursery):
    rng = np.random.default_rng(32)
    infant = nursery.infant(rng)
    spreads = []
    for scale in (0.7, 1.4):
        detector = GaussianDetector(ward)
        for cry in nursery.cries(infant, 30, rng, scale):
            detector.learn_one(cry)
        spreads.append(detector.belief.spread)
    assert spreads[1] > 1.15 * spreads[0]


def test_old_cries_fade_so_that_growth_is_followed(ward, nursery):
    rng = np.random.default_rng(33)
    before, after = nursery.infant(rng), nursery.infant(rng)
    detector = GaussianDetector(ward, memory_cries=20)
    for infant in (before, after):
        for cry in nursery.cries(infant, 80, rng):
            detector.learn_one(cry)
    assert detector.count == 20
    own = [detector.score_one(cry) for cry in nursery.cries(after, 10, rng)]
    old = [detector.score_one(cry) for cry in nursery.cries(before, 10, rng)]
    assert np.mean(own) < np.mean(old)


def test_fading_keeps_the_spread(ward, nursery):
    rng = np.random.default_rng(34)
    infant, detector = nursery.infant(rng), GaussianDetector(ward, memory_cries=20)
    for cry in nursery.cries(infant, 200, rng):
        detector.learn_one(cry)
    assert detector.belief.spread == pytest.approx(1.0, abs=0.1)
