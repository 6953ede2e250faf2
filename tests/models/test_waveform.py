"""Resampling keeps the sound; levels are what a meter would show."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from models.waveform import (
    clipped_fraction,
    clipped_fractions,
    level_dbfs,
    levels_dbfs,
    resample,
)


def tone(hz: float, rate: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(rate) / rate)).astype(np.float32)


@pytest.mark.parametrize(("from_rate", "to_rate"), [(16000, 8000), (8000, 16000), (44100, 16000)])
def test_a_tone_stays_the_same_tone(from_rate, to_rate):
    resampled = resample(tone(440, from_rate), from_rate, to_rate)
    middle = slice(to_rate // 10, -to_rate // 10)
    np.testing.assert_allclose(resampled[middle], tone(440, to_rate)[middle], atol=5e-3)


@pytest.mark.parametrize("samples", [0, 1, 20, 41, 8000, 15_999])
@pytest.mark.parametrize(("from_rate", "to_rate"), [(16000, 8000), (8000, 16000)])
def test_half_and_double_the_rate_are_what_scipy_makes_of_them(from_rate, to_rate, samples):
    sounds = np.random.default_rng(0).normal(0, 0.3, (3, 2, samples)).astype(np.float32)
    expected = resample_poly(sounds, to_rate // 8000, from_rate // 8000, axis=-1)
    resampled = resample(sounds, from_rate, to_rate)
    assert resampled.dtype == np.float32
    np.testing.assert_allclose(resampled, expected, atol=1e-6)


def test_what_is_above_half_the_new_rate_does_not_fold_back():
    folded = resample(tone(6000, 16000), 16000, 8000)[800:-800]
    assert np.abs(folded).max() < 0.02


def test_rows_are_resampled_by_themselves():
    rows = np.stack([tone(300, 16000), tone(900, 16000)])
    together = resample(rows, 16000, 8000)
    np.testing.assert_array_equal(together[1], resample(rows[1], 16000, 8000))


def test_levels():
    assert level_dbfs(np.ones(100, np.float32)) == pytest.approx(0.0)
    assert level_dbfs(tone(100, 8000)) == pytest.approx(-9.03, abs=0.01)
    assert level_dbfs(np.zeros(100, np.float32)) == -120.0


def test_clipping_is_the_share_at_full_scale():
    assert clipped_fraction(np.array([1.0, -1.0, 0.5, 0.998], np.float32)) == 0.5


def test_many_waveforms_are_measured_as_each_of_them():
    rng = np.random.default_rng(0)
    gains = np.array([0.0, 1e-7, 1e-3, 0.1, 1.0, 4.0], np.float32)[:, None]
    sounds = np.clip(gains * rng.normal(size=(len(gains), 8000)), -1, 1).astype(np.float32)
    sounds[3, 7] = -1.0
    expected = [level_dbfs(sound) for sound in sounds]
    np.testing.assert_allclose(levels_dbfs(sounds), expected, atol=1e-4)
    assert clipped_fractions(sounds).tolist() == [clipped_fraction(sound) for sound in sounds]
    assert clipped_fractions(sounds)[3] > 0
