"""Augmentation changes what it says, and nothing else."""

import numpy as np
import pytest

from models.augment import CODECS, band_limited, through_codec, with_gain, with_noise

RATE = 8000


def tone(hz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype("f4")


def power(waveform: np.ndarray) -> float:
    return float(np.mean(waveform.astype(float) ** 2))


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_keeps_the_tone_and_the_length(codec):
    given = tone(500, seconds=1.37)
    try:
        heard = through_codec(given, RATE, codec)
    except ValueError as error:
        pytest.skip(str(error))
    assert heard.shape == given.shape
    assert heard.dtype == np.float32
    assert not np.array_equal(heard, given)
    loudest = np.abs(np.fft.rfft(heard)).argmax() * RATE / given.size
    assert abs(loudest - 500) < 10
    # AMR is made for voices: it takes a third of a pure tone.
    assert power(heard) == pytest.approx(power(given), rel=0.4)


def test_an_unknown_codec_is_named():
    with pytest.raises(ValueError, match="no codec 'vinyl'"):
        through_codec(tone(500), RATE, "vinyl")


def test_noise_is_mixed_at_the_ratio_asked_for():
    rng = np.random.default_rng(0)
    signal, noise = np.stack([tone(500)] * 4), 3 * rng.normal(size=(4, RATE)).astype("f4")
    added = with_noise(signal, noise, rng, (10.0, 10.0)) - signal
    for row in range(4):
        assert power(signal[row]) / power(added[row]) == pytest.approx(10.0, rel=1e-3)


def test_silence_stays_silence_whatever_the_noise():
    rng = np.random.default_rng(0)
    mixed = with_noise(np.zeros((1, RATE), "f4"), np.zeros((1, RATE), "f4"), rng, (0, 0))
    assert not mixed.any()


def test_gain_is_within_its_range_and_clips_at_full_scale():
    rng = np.random.default_rng(0)
    given = np.stack([tone(500)] * 32)
    decibels = 20 * np.log10(
        np.abs(with_gain(given, rng, (-6, 6))).max(axis=1) / np.abs(given).max()
    )
    assert decibels.min() >= -6.01
    assert decibels.max() <= 6.01
    assert decibels.std() > 1
    assert np.abs(with_gain(given, rng, (40, 40))).max() == 1.0


def test_band_limiting_takes_the_highs_and_leaves_the_lows():
    rng = np.random.default_rng(0)
    low, high = tone(300), tone(3600)
    heard_low, heard_high = band_limited(np.stack([low, high]), rng, (2000, 2000))
    assert power(heard_low) == pytest.approx(power(low), rel=0.01)
    assert power(heard_high) < 0.01 * power(high)
