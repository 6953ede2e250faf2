"""Spectrograms in numpy: the detector's log-Mel and the embedder's filter bank."""

import math
from functools import cache
from threading import local

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.sparse import csr_array

from models.fourier import real_spectra

# Tan, Yao and Liu (2023), section 4.2: 64 ms windows of 8 kHz sound every 14.75 ms give 64 x 64
# for a second, without centring.
DETECTOR_RATE_HZ = 8000
DETECTOR_WINDOW = 512
DETECTOR_HOP = 118
DETECTOR_MELS = 64
# "Adjusted accordingly" for 5 s: five times as long each, which gives 64 x 64 again.
LONG_SECONDS = 5
LONG_WINDOW = LONG_SECONDS * DETECTOR_WINDOW
LONG_HOP = LONG_SECONDS * DETECTOR_HOP
# 80 dB under full scale: quieter than any microphone's own noise.
POWER_FLOOR = 1e-10
DECIBELS = np.float32(10 / np.log(10))  # of a natural logarithm of power
# So few waveforms that their frames and spectra stay in a core's own cache: more would spare calls,
# and cost more where other work fills the cache that cores share (docs/detector/log.md).
AT_ONCE = 2
LONG_AT_ONCE = 1
# Of a picture; and the room for frames that is kept for the next block, enough for long sounds.
FRAMES = 64
KEPT_FLOATS = 3 * FRAMES * LONG_WINDOW

# SpeechBrain's filter bank, on which the public ECAPA-TDNN models were trained.
EMBEDDER_RATE_HZ = 16000
EMBEDDER_WINDOW = 400
EMBEDDER_HOP = 160
EMBEDDER_MELS = 80
EMBEDDER_TOP_DB = 80.0


def log_mel(waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-Mel spectrograms for the detector.

    Equal to `librosa.feature.melspectrogram(sr=8000, n_fft=512, hop_length=118, n_mels=64,
    fmin=0, fmax=4000, center=False)` in decibels, to 1e-4 dB; a mel more than 50 dB under the
    loudest of its frame, as beside a pure tone without any noise, carries single precision's
    rounding. Nothing in it depends on the rest of the sound: no normalization by a maximum or a
    mean.

    The paper gives 8000 Hz as the highest mel frequency, at a rate of 8000 Hz: that cannot be, for
    nothing is above half of the rate, and its upper filters would be empty. Ours end at 4000 Hz.

    Args:
        waveforms: float32 [batch, samples] at 8 kHz, at least 512 samples each.

    Returns:
        float32 [batch, mels, frames] in dB; a second gives [batch, 64, 64].
    """
    return _log_mel(waveforms, DETECTOR_WINDOW, DETECTOR_HOP, AT_ONCE)


def log_mel_5s(waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-Mel spectrograms of five seconds at once, the paper's other frame length.

    As `log_mel`, but with windows of 2560 samples (320 ms) every 590 (73.75 ms).

    Args:
        waveforms: float32 [batch, samples] at 8 kHz, at least 2560 samples each.

    Returns:
        float32 [batch, mels, frames] in dB; five seconds give [batch, 64, 64].
    """
    return _log_mel(waveforms, LONG_WINDOW, LONG_HOP, LONG_AT_ONCE)


def _log_mel(
    waveforms: NDArray[np.float32], window: int, hop: int, at_once: int
) -> NDArray[np.float32]:
    """In blocks of `at_once` waveforms, with the frames of a block as columns.

    So each mel is a sum of whole rows: no frame depends on its neighbours in the block, and only
    the weights that are not zero are multiplied.
    """
    frames = _frames(np.asarray(waveforms, np.float32), window, hop)
    batch, count, _ = frames.shape
    mels = np.empty((batch, DETECTOR_MELS, count), np.float32)
    block = _block((min(batch, at_once), count, window))
    hann = _hann_rows(window)[:count] if count <= FRAMES else _hann(window)
    floor = np.full(count, POWER_FLOOR, np.float32)
    for start in range(0, batch, at_once):
        decibels = mels[start : start + at_once]
        windowed = block[: len(decibels)]
        np.copyto(windowed, frames[start : start + at_once])
        np.multiply(windowed, hann, out=windowed)
        parts = real_spectra(windowed.reshape(-1, window))
        np.square(parts, out=parts)
        energies = (_slaney_weights(window) @ parts).reshape(DETECTOR_MELS, -1, count)
        np.maximum(energies.swapaxes(0, 1), floor, out=decibels)
        # numpy has the natural logarithm of many floats at once, three times as fast as log10.
        np.log(decibels, out=decibels)
        np.multiply(decibels, DECIBELS, out=decibels)
    return mels


# Of each thread: fresh memory for every call would cost as much time as the transform.
_kept = local()


def _block(shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Room for the windowed frames of a block: the same as before, unless they are too many."""
    size = math.prod(shape)
    if size > KEPT_FLOATS:
        return np.empty(shape, np.float32)
    if not hasattr(_kept, "room"):
        _kept.room = np.empty(KEPT_FLOATS, np.float32)
    return _kept.room[:size].reshape(shape)


def fbank80(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """The filter bank of SpeechBrain's `Fbank(n_mels=80)` at 16 kHz.

    25 ms Hamming windows every 10 ms, centred and padded with zeros, 80 triangles from 0 to
    8 kHz, in dB with the lowest 80 dB under the loudest value of the recording kept.

    Args:
        waveform: float32 [samples] at 16 kHz.

    Returns:
        float32 [frames, 80] with `1 + samples // 160` frames; no mean is taken off.
    """
    padded = np.pad(waveform, EMBEDDER_WINDOW // 2)
    frames = _frames(padded, EMBEDDER_WINDOW, EMBEDDER_HOP)
    power = _power(frames * _hamming(EMBEDDER_WINDOW))
    decibels = 10.0 * np.log10(np.maximum(power @ _speechbrain_filters(), POWER_FLOOR))
    return np.maximum(decibels, decibels.max() - EMBEDDER_TOP_DB).astype(np.float32)


def _frames(waveforms: NDArray[np.float32], window: int, hop: int) -> NDArray[np.float32]:
    """Overlapping frames as a view: [..., frames, window]."""
    return np.lib.stride_tricks.sliding_window_view(waveforms, window, axis=-1)[..., ::hop, :]


def _power(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power spectrum: float32 [..., window] to [..., 1 + window // 2]."""
    spectrum = rfft(frames, axis=-1)  # scipy's keeps float32 and is vectorized
    return spectrum.real**2 + spectrum.imag**2


@cache
def _hann(length: int) -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


@cache
def _hann_rows(length: int) -> NDArray[np.float32]:
    """One for each frame: whole arrays are multiplied twice as fast as a broadcast row."""
    return np.tile(_hann(length), (FRAMES, 1))


@cache
def _hamming(length: int) -> NDArray[np.float32]:
    return (0.54 - 0.46 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


@cache
def _slaney_filters(window: int) -> NDArray[np.float32]:
    """Slaney's mel filters with equal area, as librosa makes them: float32 [bins, mels]."""
    edges = _slaney_hz(np.linspace(0, _slaney_mel(DETECTOR_RATE_HZ / 2), DETECTOR_MELS + 2))
    bins = np.linspace(0, DETECTOR_RATE_HZ / 2, 1 + window // 2)
    rising = (bins[:, None] - edges[None, :-2]) / np.diff(edges)[None, :-1]
    falling = (edges[None, 2:] - bins[:, None]) / np.diff(edges)[None, 1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))).astype(np.float32)


@cache
def _slaney_weights(window: int) -> csr_array:
    """The filters for the squares of what `real_spectra` gives: sparse [mels, window].

    Both parts of a bin weigh the same: to add them first takes longer.
    """
    bins = (np.arange(window) + 1) // 2
    return csr_array(np.ascontiguousarray(_slaney_filters(window)[bins].T))


# Slaney's mel scale: linear to 1 kHz (15 mels), then 27 mels for each factor of 6.4.
_LINEAR_HZ = 200.0 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27.0


def _slaney_mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _LINEAR_HZ
    return _BREAK_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP


def _slaney_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mels - _BREAK_MEL))
    return np.where(mels < _BREAK_MEL, _LINEAR_HZ * mels, above)


@cache
def _speechbrain_filters() -> NDArray[np.float32]:
    """SpeechBrain's triangles: symmetric, as wide as the step to the left neighbour in Hz."""
    highest = 2595.0 * np.log10(1 + EMBEDDER_RATE_HZ / 2 / 700.0)
    hz = 700.0 * (10.0 ** (np.linspace(0, highest, EMBEDDER_MELS + 2) / 2595.0) - 1)
    centres, bands = hz[1:-1], np.diff(hz)[:-1]
    bins = np.linspace(0, EMBEDDER_RATE_HZ // 2, 1 + EMBEDDER_WINDOW // 2)
    slope = (bins[:, None] - centres[None, :]) / bands[None, :]
    return np.maximum(0, np.minimum(1 + slope, 1 - slope)).astype(np.float32)
