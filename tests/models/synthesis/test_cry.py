from dataclasses import replace

import numpy as np
import pytest

from models.synthesis.cry import PEAK, cry, synthesize_cry
from models.synthesis.infant import Infant, random_infant


def an_infant(**changes: float) -> Infant:
    return replace(random_infant(np.random.default_rng(3)), **changes)


def median_pitch_hz(waveform: np.ndarray, rate: int = 16_000) -> float:
    """Middle of the best autocorrelation lag between 200 and 900 Hz, over 40 ms frames."""
    frames = waveform[: waveform.size // 640 * 640].reshape(-1, 640)
    loud = frames[np.mean(frames**2, axis=1) > 0.3 * np.mean(waveform**2)]
    spectrum = np.abs(np.fft.rfft(loud * np.hanning(640), 2048)) ** 2
    lags = np.fft.irfft(spectrum)[:, rate // 900 : rate // 200]
    return float(np.median(rate / (rate // 900 + np.argmax(lags, axis=1))))


def flatness(waveform: np.ndarray) -> float:
    """Geometric over arithmetic mean of the spectrum: 0 for a tone, 1 for white noise."""
    frames = waveform[: waveform.size // 640 * 640].reshape(-1, 640) * np.hanning(640)
    power = np.mean(np.abs(np.fft.rfft(frames)) ** 2, axis=0) + 1e-12
    return float(np.exp(np.mean(np.log(power))) / np.mean(power))


def test_a_cry_is_float32_of_the_length_asked_for_at_its_peak() -> None:
    for rate in (8_000, 16_000):
        wave = synthesize_cry(an_infant(), 2.5, np.random.default_rng(0), rate)
        assert wave.dtype == np.float32
        assert wave.shape == (int(2.5 * rate),)
        assert np.isfinite(wave).all()
        assert np.abs(wave).max() == pytest.approx(PEAK)


def test_the_same_seed_gives_the_same_cry_and_each_cry_is_another() -> None:
    rng = np.random.default_rng(0)
    first, second = (synthesize_cry(an_infant(), 2.0, rng) for _ in range(2))
    again = synthesize_cry(an_infant(), 2.0, np.random.default_rng(0))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)


def test_a_cry_has_the_pitch_of_its_infant() -> None:
    for pitch_hz in (370.0, 450.0, 560.0):
        infant = an_infant(pitch_hz=pitch_hz, roughness=0.0)
        rng = np.random.default_rng(4)
        heard = [median_pitch_hz(synthesize_cry(infant, 4.0, rng)) for _ in range(5)]
        assert np.median(heard) == pytest.approx(pitch_hz, rel=0.12)


def test_a_rough_infant_sounds_noisier_than_a_clear_one() -> None:
    clear, rough = (
        np.mean([flatness(synthesize_cry(an_infant(roughness=r), 3.0, rng)) for _ in range(5)])
        for r, rng in ((0.05, np.random.default_rng(1)), (0.8, np.random.default_rng(1)))
    )
    assert rough > 1.5 * clear


def test_expirations_are_marked_and_the_breaths_between_are_far_softer() -> None:
    made = cry(an_infant(), 6.0, np.random.default_rng(2))
    assert 0.5 < made.voiced.mean() < 1.0
    assert made.voiced[0]
    last = int(np.flatnonzero(made.voiced)[-1])
    gaps = made.waveform[:last][~made.voiced[:last]]
    voiced = made.waveform[made.voiced]
    assert np.mean(gaps**2) < 0.1 * np.mean(voiced**2)


def test_a_cry_shorter_than_a_breath_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        synthesize_cry(an_infant(), 0.1, np.random.default_rng(0))
    assert cry(an_infant(), 0.3, np.random.default_rng(0)).voiced.all()
