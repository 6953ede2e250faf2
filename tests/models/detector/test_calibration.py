"""Calibrated scores are shares, in the order that they had."""

import numpy as np
import pytest

from models.detector.calibration import (
    Calibration,
    expected_calibration_error,
    fit,
    reliability,
)


def seconds(slope: float, offset: float, count: int = 20_000):
    """Logits that are wrong by a slope and an offset, and what was so."""
    rng = np.random.default_rng(0)
    true = rng.normal(-1, 2, count)
    cries = rng.random(count) < 1 / (1 + np.exp(-true))
    return (true - offset) / slope, cries


def test_slope_and_offset_are_found_and_the_error_goes():
    logits, cries = seconds(slope=0.4, offset=-1.5)
    found = fit(logits, cries)
    assert found.slope == pytest.approx(0.4, abs=0.03)
    assert found.offset == pytest.approx(-1.5, abs=0.1)
    assert expected_calibration_error(Calibration()(logits), cries) > 0.1
    assert expected_calibration_error(found(logits), cries) < 0.015


def test_scores_keep_their_order():
    logits, cries = seconds(0.7, 1.0, 500)
    assert (np.argsort(fit(logits, cries)(logits)) == np.argsort(logits)).all()


def test_a_rarer_prior_makes_lower_scores():
    logits, cries = seconds(1.0, 0.0)
    rare = fit(logits, cries, prior=0.05)
    scores = rare(logits)
    weights = np.where(cries, 0.05 / cries.mean(), 0.95 / (1 - cries.mean()))
    assert np.average(scores, weights=weights) == pytest.approx(0.05, abs=0.005)


def test_classes_without_overlap_leave_a_finite_slope():
    found = fit(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([False, False, True, True]))
    assert 0 < found.slope < 50


def test_bins_say_what_is_in_them():
    bins = reliability(np.array([0.05, 0.07, 0.95, 1.0]), np.array([False, True, True, True]))
    assert [b.count for b in bins] == [2, 2]
    assert bins[0].score == pytest.approx(0.06)
    assert bins[0].share == pytest.approx(0.5)
    assert bins[1].share == 1.0


def test_the_error_is_weighed_by_seconds():
    scores, cries = np.array([0.05] * 3 + [0.95]), np.array([False, False, False, False])
    assert expected_calibration_error(scores, cries) == pytest.approx((3 * 0.05 + 0.95) / 4)
