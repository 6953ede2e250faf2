import numpy as np
import pytest

from models.deviation.conformal import (
    FEW_TO_MANY,
    REMEMBERED_SCORES,
    SCALE_PRIOR_CRIES,
    WARD_CRIES,
    Calibration,
    conformal_p_value,
    tie_break,
    ward_weight,
)

WARD = np.linspace(-3, 3, 99)
NONE = np.array([])


def test_without_own_scores_it_is_the_conformal_p_value_of_the_ward():
    assert conformal_p_value(10.0, NONE, WARD) == pytest.approx(1 / 100)
    assert conformal_p_value(-10.0, NONE, WARD) == pytest.approx(1.0)
    assert conformal_p_value(10.0, NONE, WARD, tie_break=0.5) == pytest.approx(0.5 / 100)


def test_the_stranger_a_cry_the_smaller_its_p_value():
    own = np.random.default_rng(0).normal(size=30)
    values = [conformal_p_value(s, own, WARD, 0.01) for s in np.linspace(-6, 6, 100)]
    assert all(0 < value <= 1 for value in values)
    assert values == sorted(values, reverse=True)


def test_own_scores_take_over_from_the_ward():
    """An infant that always scores 2 is usual at 2, whatever the ward says, once it is known."""
    values = [conformal_p_value(2.0, np.full(n, 2.0), WARD) for n in (0, 6, REMEMBERED_SCORES)]
    assert values[0] < 0.2 < values[1] < values[2]
    assert values[2] > 0.8


def test_the_ward_weighs_as_long_as_own_cries_are_few_and_then_fades():
    few, many = FEW_TO_MANY
    for while_few in (WARD_CRIES, SCALE_PRIOR_CRIES):
        weights = [ward_weight(while_few, n) for n in range(many + 50)]
        assert weights[: few + 1] == [while_few] * (few + 1)
        assert weights == sorted(weights, reverse=True)
        assert weights[many:] == [pytest.approx(while_few / 3)] * 50
        # Each cry more of its own makes the infant's word weigh more.
        shares = [n / (n + weight) for n, weight in enumerate(weights)]
        assert np.all(np.diff(shares) > 0)
        assert shares[many] >= 0.8


def test_p_values_of_usual_cries_are_uniform_though_the_gate_hides_the_strangest():
    rng = np.random.default_rng(1)
    refused = 0.02
    ward = rng.normal(size=2_000)
    own: list[float] = []
    values = []
    for _ in range(6_000):
        score = rng.normal()
        value = conformal_p_value(score, np.array(own[-100:]), ward, refused, rng.random())
        values.append(value)
        if value >= refused:
            own.append(score)
    for level in (0.02, 0.05, 0.2, 0.5):
        assert np.mean(np.array(values) < level) == pytest.approx(level, abs=0.3 * level)


def test_the_smoothing_variable_is_the_same_whenever_a_cry_is_replayed():
    draws = np.array([tie_break(f"segment-{i}") for i in range(2_000)])
    assert draws.min() > 0
    assert draws.max() <= 1
    assert draws.mean() == pytest.approx(0.5, abs=0.03)
    assert tie_break("segment-7") == draws[7]


def test_sigma_is_standard_by_the_ward_and_then_by_the_infant():
    ward_scores = np.random.default_rng(2).normal(1.0, 0.1, 500)
    calibration = Calibration(ward_scores, 0.01)
    assert calibration.evaluate(1.2)[0] == pytest.approx(2.0, abs=0.2)
    for score in np.random.default_rng(3).normal(1.2, 0.05, 120):
        calibration.learn(score)
    assert abs(calibration.evaluate(1.2)[0]) < 0.5
    assert calibration.evaluate(1.3)[0] == pytest.approx(2.0, abs=0.5)


def test_only_the_last_scores_are_remembered():
    calibration = Calibration(WARD, 0.01)
    for score in range(REMEMBERED_SCORES + 10):
        calibration.learn(float(score))
    assert calibration.scores.size == REMEMBERED_SCORES
    assert calibration.scores[0] == 10


def test_scores_that_are_all_one_are_refused():
    with pytest.raises(ValueError, match="all one"):
        Calibration(np.ones(20), refused_share=0.01)
