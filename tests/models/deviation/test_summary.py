import numpy as np
import pytest
from simulated import observation

from models.deviation.baseline import READY_AFTER, REFERENCE_CRIES, Baseline
from models.deviation.conformal import Calibration
from models.deviation.drift import CUSUM_LIMIT
from models.deviation.gate import DEVIANT_BELOW_P


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def heard(ward, nursery, own, count, rng):
    baseline = Baseline("anna", ward)
    for number, cry in enumerate(nursery.cries(own, count, rng)):
        baseline.observe(observation(cry, number))
    return baseline


def test_of_an_infant_who_was_never_heard_nothing_is_known(ward):
    summary = Baseline("anna", ward).summary()
    assert (summary.state, summary.accepted, summary.ready_after) == ("learning", 0, READY_AFTER)
    assert (summary.deviant_sigma, summary.drift_sigma, summary.apart_sigma) == (None, None, None)
    assert (summary.reference_taken, summary.drifting, summary.drift_sum) == (False, False, 0.0)
    assert summary.version.endswith(ward.version)


def test_a_learned_baseline_says_what_it_stands_on(ward, nursery, rng):
    summary = heard(ward, nursery, nursery.infant(rng), REFERENCE_CRIES, rng).summary()
    assert (summary.state, summary.accepted) == ("ready", REFERENCE_CRIES)
    assert (summary.reference_cries, summary.reference_taken) == (REFERENCE_CRIES, True)
    assert summary.adaptive_cries == REFERENCE_CRIES
    assert summary.calibration_cries == REFERENCE_CRIES - 2
    assert summary.spread == pytest.approx(1.0, abs=0.3)
    assert (summary.apart_sigma, summary.drift_limit) == (0.0, CUSUM_LIMIT)


def test_an_adaptive_reference_that_has_moved_is_said_to_be_apart(ward, nursery, rng):
    own = nursery.infant(rng)
    baseline = heard(ward, nursery, own, REFERENCE_CRIES, rng)
    direction = np.zeros(192)
    direction[:20] = rng.normal(size=20)
    shift = np.linalg.solve(ward.transform, 3.0 * direction / np.linalg.norm(direction))
    for number, cry in enumerate(nursery.cries(own, 150, rng)):
        baseline.observe(observation((cry + shift).astype(np.float32), 100 + number))
    assert baseline.summary().apart_sigma > 1
    assert baseline.summary().drift_sum >= CUSUM_LIMIT


@pytest.mark.parametrize("own", [0, 5, 120])
def test_the_line_is_where_p_values_fall_below(ward, rng, own):
    calibration = Calibration(ward.scores, DEVIANT_BELOW_P)
    for score in rng.choice(ward.scores, own):
        calibration.learn(float(score) * 0.8)
    line = calibration.sigma_at(0.05)
    around = np.linspace(ward.scores.min() - 1, 2 * ward.scores.max(), 4000)
    said = [calibration.evaluate(score) for score in around]
    assert max(sigma for sigma, p in said if p >= 0.05) <= line + 1e-6
    assert min(sigma for sigma, p in said if p < 0.05) >= line - 1e-6


def test_a_line_that_no_score_can_cross_is_none(ward):
    assert Calibration(ward.scores[:5], 0.0).sigma_at(1e-6) is None
