"""Augmentation changes what it says, and nothing else."""

import numpy as np
import pytest

from models.augment import (
    CODECS,
    at_speed,
    band_limited,
    coloured_noise,
    in_room,
    through_codec,
    through_microphone,
    with_gain,
    with_noise,
)

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


def test_faster_sound_is_higher_and_ends_where_it_ended():
    rng = np.random.default_rng(0)
    given = np.stack([tone(500)] * 2)
    given[:, -200:] = 0.7
    heard, factors = at_speed(given, rng, (1.2, 1.2))
    assert factors.tolist() == [1.2, 1.2]
    assert heard.shape == given.shape
    assert heard[0, -150:] == pytest.approx(0.7)
    loudest = np.abs(np.fft.rfft(heard[0, 2000:7500])).argmax() * RATE / 5500
    assert abs(loudest - 600) < 5
    assert not heard[0, : int(RATE * (1 - 1 / 1.2)) - 2].any()


def test_a_room_adds_a_tail_of_the_level_asked_for_and_keeps_the_direct_sound():
    rng = np.random.default_rng(0)
    click = np.zeros((3, RATE), "f4")
    click[:, 1000] = 1.0
    heard = in_room(click, rng, (0.3, 0.3), (6.0, 6.0))
    assert not heard[:, :999].round(4).any()
    assert heard[:, 1000] == pytest.approx(1.0, abs=1e-3)
    tails = heard[:, 1001:]
    assert 10 * np.log10((tails**2).sum(axis=1)) == pytest.approx(-6.0, abs=0.1)
    assert (tails[:, 2400:] ** 2).sum() < 1e-4 * (tails**2).sum()
    assert not np.allclose(heard[0], heard[1])


def test_a_microphone_colours_but_does_not_shift_nor_invent():
    rng = np.random.default_rng(0)
    given = np.stack([tone(500)] * 16)
    heard = through_microphone(given, rng)
    gains = 10 * np.log10([power(row) / power(given[0]) for row in heard])
    assert np.ptp(gains) > 3
    assert np.abs(gains).max() < 25
    assert all(np.abs(np.fft.rfft(row)).argmax() == 500 for row in heard)
    assert not through_microphone(np.zeros((1, RATE), "f4"), rng).any()


def test_noise_has_unit_level_and_more_lows_than_highs():
    noise = coloured_noise(20, RATE, np.random.default_rng(0))
    assert noise.std(axis=1) == pytest.approx(1.0, rel=1e-3)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    assert spectrum[:, 50:500].mean() > spectrum[:, 3000:3450].mean()
