"""The spectrograms are those of the libraries that define them."""

import numpy as np
import pytest

from models import fourier
from models.features import AT_ONCE, LONG_AT_ONCE, fbank80, log_mel, log_mel_5s


@pytest.fixture(autouse=True, params=["SciPy", "OpenCV"])
def transform(request, monkeypatch):
    """Everything here holds for either library."""
    if request.param == "OpenCV" and not fourier.BY_OPENCV:
        pytest.skip("no OpenCV with Intel's IPP here")
    monkeypatch.setattr(fourier, "BY_OPENCV", request.param == "OpenCV")


def sounds(batch: int = 6, samples: int = 8000) -> np.ndarray:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(batch, samples)) * 10.0 ** rng.uniform(-4, -0.5, size=(batch, 1))
    noise[0] = 0
    noise[-1] = np.sin(np.arange(samples) * 0.3) + 0.1 * rng.normal(size=samples)
    return noise.astype(np.float32)


def test_a_second_is_64_by_64_and_so_are_five():
    assert log_mel(sounds(3)).shape == (3, 64, 64)
    assert log_mel_5s(sounds(3, 40_000)).shape == (3, 64, 64)


def by_librosa(given: np.ndarray, window: int, hop: int) -> np.ndarray:
    librosa = pytest.importorskip("librosa")
    mel = librosa.feature.melspectrogram(
        y=given, sr=8000, n_fft=window, hop_length=hop, n_mels=64, fmin=0, fmax=4000, center=False
    )
    return 10 * np.log10(np.maximum(mel, 1e-10))


BOTH = pytest.mark.parametrize(
    ("ours", "samples", "window", "hop", "at_once"),
    [(log_mel, 8000, 512, 118, AT_ONCE), (log_mel_5s, 40_000, 2560, 590, LONG_AT_ONCE)],
)


# The largest difference, in decibels.
@BOTH
def test_log_mel_is_librosas(ours, samples, window, hop, at_once):
    given = sounds(2 * at_once + 1, samples)
    np.testing.assert_allclose(ours(given), by_librosa(given, window, hop), rtol=0, atol=1e-4)


@BOTH
def test_log_mel_is_librosas_for_near_silent_and_clipped_sound(ours, samples, window, hop, at_once):
    rng = np.random.default_rng(1)
    noise, tone = rng.normal(size=samples), np.sin(np.arange(samples) * 0.3)
    clipped = np.clip([noise, 20 * noise, 3 * tone + 0.1 * noise], -1, 1)
    last_bits = np.round([noise, 0.4 * noise]) / 32768
    near_silent = np.outer([1e-4, 1e-5, 1e-6, 1e-30], noise)
    given = np.concatenate([clipped, last_bits, near_silent]).astype(np.float32)
    np.testing.assert_allclose(ours(given), by_librosa(given, window, hop), rtol=0, atol=1e-4)


@BOTH
def test_beside_a_pure_tone_log_mel_is_librosas_for_fifty_decibels(
    ours, samples, window, hop, at_once
):
    rng = np.random.default_rng(1)
    tone = np.sin(np.arange(samples) * 0.3)
    late = np.where(np.arange(samples) < samples // 2, 1e-5 * rng.normal(size=samples), tone)
    given = np.float32([tone, late, np.clip(20 * tone, -1, 1), np.clip(tone + 1, -1, 1)])
    expected = by_librosa(given, window, hop)
    loud = expected > expected.max(axis=1, keepdims=True) - 50
    np.testing.assert_allclose(ours(given)[loud], expected[loud], rtol=0, atol=1e-4)
    # The rounding of librosa's double precision is far less than ours.
    amplitudes, exact = (10 ** (values / 20) for values in (ours(given), expected))
    error = np.abs(amplitudes - exact) / exact.max(axis=1, keepdims=True)
    assert error.max() < 1e-5


@BOTH
def test_a_second_does_not_depend_on_its_batch(ours, samples, window, hop, at_once):
    # Blocks that end with the batch, before it and after it; fewer and more frames than a second's.
    for length in (samples, window + 4 * hop, 2 * samples):
        alone = [ours(row[None])[0] for row in sounds(2 * at_once + 1, length)]
        for batch in (1, max(1, at_once - 1), at_once, at_once + 1, 2 * at_once + 1):
            together = ours(sounds(2 * at_once + 1, length)[:batch])
            np.testing.assert_array_equal(together, alone[:batch])


@BOTH
def test_no_sound_gives_no_spectrogram(ours, samples, window, hop, at_once):
    assert ours(np.empty((0, samples), np.float32)).shape == (0, 64, 64)
    assert ours(sounds(3, window)).shape == (3, 64, 1)


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
