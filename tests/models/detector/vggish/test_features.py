"""VGGish's spectrogram is the published one."""

import numpy as np
import pytest

from models.detector.vggish.features import LOG_OFFSET, NEEDED_SAMPLES, log_mel


def sounds(batch: int = 4) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(batch, 16_000)) * 0.1).astype(np.float32)


def test_a_second_has_96_frames_of_64_mels():
    assert log_mel(sounds(3)).shape == (3, 96, 64)


def test_it_is_what_librosa_gives_with_the_published_settings():
    librosa = pytest.importorskip("librosa")
    # The published code pads each window of 400 at its end, so that librosa needs windows of its
    # own: 512 samples of which the last 112 weigh nothing.
    window = np.zeros(512)
    window[:400] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    padded = np.pad(sounds()[:, :NEEDED_SAMPLES], ((0, 0), (0, 112)))
    mels = librosa.feature.melspectrogram(
        y=padded, sr=16_000, n_fft=512, hop_length=160, window=window, center=False, power=1.0,
        n_mels=64, fmin=125, fmax=7500, htk=True, norm=None,
    )  # fmt: skip
    # Librosa's triangles are straight in Hz, the published ones on the mel scale: nearly alike.
    expected = np.log(mels + LOG_OFFSET).swapaxes(1, 2)
    assert np.abs(log_mel(sounds()) - expected).mean() < 0.05


def test_the_filters_are_straight_on_the_mel_scale():
    # A tone at the third filter's centre: nothing of it may reach the fifth and later ones.
    mels = np.linspace(1127 * np.log(1 + 125 / 700), 1127 * np.log(1 + 7500 / 700), 66)
    hz = 700 * (np.exp(mels[31] / 1127) - 1)
    tone = np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000).astype(np.float32)
    energies = np.exp(log_mel(tone[None])[0, 40]) - LOG_OFFSET
    assert energies.argmax() == 30
    assert energies[30] > 10 * energies[34]


def test_silence_is_the_log_offset():
    np.testing.assert_allclose(log_mel(np.zeros((1, 16_000), np.float32)), np.log(0.01), rtol=1e-6)


def test_a_frame_is_ten_milliseconds():
    click = np.zeros((1, 16_000), np.float32)
    click[0, 8000] = 1
    heard = log_mel(click)[0].max(axis=1) > np.log(0.011)
    # Frames that begin at 7601..7999 hold it: numbers 48 to 49.
    assert np.flatnonzero(heard).tolist() == [48, 49]


def test_less_than_96_frames_are_refused():
    with pytest.raises(ValueError, match="15600 samples, not 15599"):
        log_mel(np.zeros((1, 15_599), np.float32))
