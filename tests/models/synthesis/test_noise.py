import numpy as np
import pytest

from models.synthesis.noise import babble, beeps, hvac

RATE = 16_000


def test_air_is_of_unit_level_and_falls_with_frequency() -> None:
    air = hvac(4 * RATE, np.random.default_rng(0))
    assert air.dtype == np.float32
    assert np.sqrt(np.mean(air**2)) == pytest.approx(1.0, rel=1e-3)
    spectrum = np.abs(np.fft.rfft(air)) ** 2
    frequency = np.fft.rfftfreq(air.size, 1.0 / RATE)
    low = spectrum[(frequency > 150) & (frequency < 300)].mean()
    high = spectrum[(frequency > 2400) & (frequency < 4800)].mean()
    assert low > 5.0 * high


def test_air_can_be_looped_without_a_click() -> None:
    pieces = [hvac(RATE, np.random.default_rng(seed)) for seed in range(20)]
    joins = np.mean([abs(air[0] - air[-1]) for air in pieces])
    steps = np.mean([np.abs(np.diff(air)).mean() for air in pieces])
    assert joins < 1.5 * steps


def test_babble_has_the_rhythm_of_syllables() -> None:
    talk = babble(20 * RATE, np.random.default_rng(1), speakers=1)
    loudness = np.sqrt(np.mean(talk.reshape(-1, 160) ** 2, axis=1))  # 100 a second
    rhythm = np.abs(np.fft.rfft(loudness - loudness.mean())) ** 2
    frequency = np.fft.rfftfreq(loudness.size, 0.01)
    syllabic = rhythm[(frequency > 2.0) & (frequency < 12.0)].sum()
    assert syllabic > rhythm[frequency > 12.0].sum()
    assert np.mean(loudness > 0.1) > 0.5
    assert np.isfinite(talk).all()


def test_beeps_are_tones_with_silence_between() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        wave = beeps(4 * RATE, rng)
        assert 0.02 < np.mean(wave != 0.0) < 0.8
        sounding = wave[wave != 0.0]
        spectrum = np.sort(np.abs(np.fft.rfft(sounding)) ** 2)[::-1]
        assert spectrum[: spectrum.size // 20].sum() > 0.8 * spectrum.sum()


def test_every_noise_follows_from_its_seed() -> None:
    for make in (hvac, babble, beeps):
        first, again, other = (make(RATE, np.random.default_rng(s)) for s in (3, 3, 4))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)
