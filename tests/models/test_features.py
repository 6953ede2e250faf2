"""The spectrograms are those of the libraries that define them."""

import numpy as np
import pytest

from models.features import fbank80, log_mel, log_mel_5s


def sounds(batch: int = 6, samples: int = 8000) -> np.ndarray:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(batch, samples)) * 10.0 ** rng.uniform(-4, -0.5, size=(batch, 1))
    noise[0] = 0
    noise[-1] = np.sin(np.arange(samples) * 0.3) + 0.1 * rng.normal(size=samples)
    return noise.astype(np.float32)


def test_a_second_is_64_by_64_and_so_are_five():
    assert log_mel(sounds(3)).shape == (3, 64, 64)
    assert log_mel_5s(sounds(3, 40_000)).shape == (3, 64, 64)


# The largest difference, in decibels.
@pytest.mark.parametrize(
    ("ours", "samples", "window", "hop"),
    [(log_mel, 8000, 512, 118), (log_mel_5s, 40_000, 2560, 590)],
)
def test_log_mel_is_librosas(ours, samples, window, hop):
    librosa = pytest.importorskip("librosa")
    given = sounds(samples=samples)
    mel = librosa.feature.melspectrogram(
        y=given, sr=8000, n_fft=window, hop_length=hop, n_mels=64, fmin=0, fmax=4000, center=False
    )
    expected = 10 * np.log10(np.maximum(mel, 1e-10))
    np.testing.assert_allclose(ours(given), expected, rtol=0, atol=1e-4)


def test_a_second_does_not_depend_on_its_batch():
    together = log_mel(sounds())
    for row, alone in enumerate(sounds()):
        np.testing.assert_array_equal(log_mel(alone[None])[0], together[row])


def test_digital_silence_is_finite():
    assert np.isfinite(log_mel(np.zeros((1, 8000), np.float32))).all()
    assert np.isfinite(fbank80(np.zeros(16000, np.float32))).all()


def test_the_filter_bank_has_a_frame_every_ten_milliseconds():
    assert fbank80(sounds(1, 16000)[0]).shape == (101, 80)


def test_a_tone_lies_in_the_band_of_its_frequency():
    times = np.arange(16000) / 16000
    low, high = (
        fbank80(np.sin(2 * np.pi * hz * times).astype(np.float32))[50].argmax()
        for hz in (300, 3000)
    )
    # 2595 log10(1 + f / 700) of 2840 mels for 8 kHz, in 81 steps.
    assert (low, high) == (10, 52) or (abs(low - 10) <= 1 and abs(high - 53) <= 1)


def test_the_filter_bank_keeps_eighty_decibels():
    energies = fbank80(sounds(3, 16000)[2])
    assert energies.max() - energies.min() <= 80.0 + 1e-3
