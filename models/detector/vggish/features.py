"""VGGish's own log-Mel, in numpy: 96 frames of 64 mels for a second.

Hershey et al. (2017), "CNN Architectures for Large-Scale Audio Classification", with the settings
that were released with the network; Tan, Yao and Liu (2023), section 4.2, give it windows of 1 s
where the release has 0.96 s: both hold 96 whole hops, and the network sees 96 x 64 either way.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

RATE_HZ = 16000
WINDOW = 400  # 25 ms
HOP = 160  # 10 ms
FFT = 512  # the next power of two
FRAMES = 96
MELS = 64
LOWEST_HZ, HIGHEST_HZ = 125.0, 7500.0
LOG_OFFSET = 0.01
# The frames that the network sees end here; what is left of a second is not looked at.
NEEDED_SAMPLES = (FRAMES - 1) * HOP + WINDOW


def log_mel(waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-Mel spectrograms as VGGish was trained on them.

    Natural logarithm of mel-weighted magnitudes (not powers) plus 0.01, on the HTK mel scale,
    periodic Hann windows, no centring.

    Args:
        waveforms: float32 [batch, samples] at 16 kHz; the first 15,600 samples of each count.

    Returns:
        float32 [batch, 96 frames, 64 mels].

    Raises:
        ValueError: a waveform is shorter than 15,600 samples.
    """
    if waveforms.shape[-1] < NEEDED_SAMPLES:
        raise ValueError(f"VGGish needs {NEEDED_SAMPLES} samples, not {waveforms.shape[-1]}")
    samples = np.asarray(waveforms[..., :NEEDED_SAMPLES], np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW, axis=-1)[..., ::HOP, :]
    spectrograms = np.empty((len(samples), FRAMES, MELS), np.float32)
    # One waveform at a time stays in the cache.
    for row, second in enumerate(frames):
        magnitudes = np.abs(rfft(second * _hann(), FFT, axis=-1))
        spectrograms[row] = np.log(magnitudes @ _mel_weights() + np.float32(LOG_OFFSET))
    return spectrograms


@cache
def _hann() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


@cache
def _mel_weights() -> NDArray[np.float32]:
    """Triangles of height 1 that are straight on the mel scale: float32 [257 bins, 64 mels]."""
    edges = np.linspace(_htk_mel(LOWEST_HZ), _htk_mel(HIGHEST_HZ), MELS + 2)
    bins = _htk_mel(np.linspace(0, RATE_HZ / 2, FFT // 2 + 1))
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    # The lowest edge lies above 0 Hz, so a constant offset of the microphone weighs nothing.
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _htk_mel(hz: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
    return 1127.0 * np.log(1.0 + np.asarray(hz) / 700.0)
