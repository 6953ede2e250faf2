import numpy as np
import pytest

from models.synthesis.voice import harmonic_source, resonate, wander

RATE = 16_000


def power_at(wave: np.ndarray, frequency_hz: float, width_hz: float = 5.0) -> float:
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(wave.size))) ** 2
    frequency = np.fft.rfftfreq(wave.size, 1.0 / RATE)
    return float(spectrum[np.abs(frequency - frequency_hz) <= width_hz].sum())


def test_the_source_has_every_harmonic_and_falls_by_its_tilt() -> None:
    wave = harmonic_source(np.full(RATE, 440.0), -6.0, RATE)
    levels = [10.0 * np.log10(power_at(wave, 440.0 * k)) for k in (1, 2, 4, 8, 16)]
    np.testing.assert_allclose(np.diff(levels), -6.0, atol=0.1)
    assert power_at(wave, 660.0) < 1e-6 * power_at(wave, 440.0)
    assert np.sqrt(np.mean(wave**2)) == pytest.approx(1.0, rel=0.05)


def test_no_harmonic_folds_back_from_nyquist() -> None:
    # The 17th harmonic rises past 8 kHz on the way: it must fade, not come back from above.
    wave = harmonic_source(np.linspace(440.0, 495.0, RATE), -1.0, RATE)[-1000:]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(wave.size))) ** 2
    frequency = np.fft.rfftfreq(wave.size, 1.0 / RATE)
    between = np.abs((frequency / 493.3) % 1.0 - 0.5) < 0.2
    high = frequency > 6000.0
    assert spectrum[between & high].max() < 1e-3 * spectrum[high].max()


def test_a_subharmonic_puts_power_half_way_between_harmonics() -> None:
    clear = harmonic_source(np.full(RATE, 400.0), -6.0, RATE)
    rough = harmonic_source(np.full(RATE, 400.0), -6.0, RATE, subharmonic=0.5)
    assert power_at(rough, 600.0) > 1e4 * power_at(clear, 600.0)


def test_a_resonator_peaks_at_its_formant() -> None:
    impulse = np.zeros(RATE)
    impulse[0] = 1.0
    response = np.abs(np.fft.rfft(resonate(impulse, [1100.0], [150.0], RATE)))
    assert abs(int(np.argmax(response)) - 1100) < 20
    assert response[0] == pytest.approx(1.0, rel=1e-3)


def test_formants_at_nyquist_are_left_out() -> None:
    noise = np.random.default_rng(0).standard_normal(1000)
    np.testing.assert_array_equal(resonate(noise, [7900.0], [300.0], RATE), noise)


def test_wander_is_slow_and_around_zero() -> None:
    path = wander(10 * RATE, 3.0, np.random.default_rng(0), RATE)
    assert path.shape == (10 * RATE,)
    assert abs(path.mean()) < 0.5
    assert np.abs(np.diff(path)).max() < 0.01
