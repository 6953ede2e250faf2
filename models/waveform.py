"""Plain arithmetic on waveforms: resampling, level, clipping."""

from collections.abc import Callable
from math import gcd, prod

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, resample_poly

# A sample this near to full scale has hit it: 16-bit clipping leaves 32767 / 32768.
CLIPPING_LEVEL = 0.999
SILENCE_DBFS = -120.0


def resample(
    waveforms: NDArray[np.float32], from_rate_hz: int, to_rate_hz: int
) -> NDArray[np.float32]:
    """Change the sample rate.

    Args:
        waveforms: float32 [..., samples].
        from_rate_hz: of `waveforms`.
        to_rate_hz: of the result.

    Returns:
        float32 [..., ceil(samples * to / from)], anti-aliased; the edges fade to zero, each row
        by itself, so that a second sounds the same whatever stands beside it.
    """
    if from_rate_hz == to_rate_hz:
        return np.asarray(waveforms, dtype=np.float32)
    if from_rate_hz == 2 * to_rate_hz:
        return _in_rows(_halve, waveforms, -(-waveforms.shape[-1] // 2))
    if to_rate_hz == 2 * from_rate_hz:
        return _in_rows(_double, waveforms, 2 * waveforms.shape[-1])
    common = gcd(from_rate_hz, to_rate_hz)
    up, down = to_rate_hz // common, from_rate_hz // common
    return resample_poly(waveforms, up, down, axis=-1).astype(np.float32)


# The filter of `resample_poly` for a factor of two. It is half-band (of the even taps only the
# middle one is not zero) and symmetric: whole rows are added, in ten pairs.
_TAPS = 41
_FILTER = firwin(_TAPS, 0.5, window=("kaiser", 5.0)).astype(np.float32)
_MIDDLE, _ODD = _FILTER[_TAPS // 2], _FILTER[_TAPS // 2 + 1 :: 2]
_PAIRS = len(_ODD)
_ROWS = 8  # that stay in the cache


def _in_rows(
    change: Callable[[NDArray[np.float32], NDArray[np.float32]], None],
    waveforms: NDArray[np.float32],
    length: int,
) -> NDArray[np.float32]:
    *shape, samples = waveforms.shape
    rows = np.asarray(waveforms, np.float32).reshape(prod(shape), samples)
    changed = np.empty((len(rows), length), np.float32)
    for start in range(0, len(rows), _ROWS):
        change(rows[start : start + _ROWS], changed[start : start + _ROWS])
    return changed.reshape(*shape, length)


def _halve(rows: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Every second sample of what is under half of the band."""
    out[:] = _between(rows[:, 1::2], before=1, count=out.shape[1], gain=1)
    out += _MIDDLE * rows[:, ::2]


def _double(rows: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """The samples themselves, and one between each and the next."""
    np.multiply(rows, 2 * _MIDDLE, out=out[:, ::2])
    out[:, 1::2] = _between(rows, before=0, count=rows.shape[1], gain=2)


def _between(rows: NDArray[np.float32], before: int, count: int, gain: int) -> NDArray[np.float32]:
    """The odd taps' sums of rows in the middle between two samples: float32 [rows, count].

    The first lies between the samples -before and 1 - before; beyond the ends is silence.
    """
    padded = np.zeros((len(rows), _PAIRS + count + _PAIRS), np.float32)
    padded[:, _PAIRS : _PAIRS + rows.shape[1]] = rows
    sums = np.zeros((len(rows), count), np.float32)
    pair = np.empty_like(sums)
    first = _PAIRS - before
    for step, tap in enumerate(gain * _ODD):
        left, right = first - step, first + 1 + step
        np.add(padded[:, left : left + count], padded[:, right : right + count], out=pair)
        pair *= tap
        sums += pair
    return sums


def level_dbfs(waveform: NDArray[np.float32]) -> float:
    """Root-mean-square level of float32 [samples] in dB of full scale; at least -120."""
    power = float(np.mean(np.square(waveform, dtype=np.float64))) if len(waveform) else 0.0
    return max(SILENCE_DBFS, 10.0 * np.log10(power)) if power > 0 else SILENCE_DBFS


def clipped_fraction(waveform: NDArray[np.float32]) -> float:
    """Share of the samples of float32 [samples] that are at full scale, 0..1."""
    return float(np.mean(np.abs(waveform) >= CLIPPING_LEVEL)) if len(waveform) else 0.0


def levels_dbfs(waveforms: NDArray[np.float32]) -> NDArray[np.float64]:
    """`level_dbfs` of many: float32 [batch, samples] to [batch], to 1e-4 dB."""
    powers = np.einsum("ij,ij->i", waveforms, waveforms).astype(float) / waveforms.shape[1]
    return 10.0 * np.log10(np.maximum(powers, 10 ** (SILENCE_DBFS / 10)))


def clipped_fractions(waveforms: NDArray[np.float32]) -> NDArray[np.float64]:
    """`clipped_fraction` of many: float32 [batch, samples] to [batch]."""
    fractions = np.zeros(len(waveforms))
    # Hardly any is clipped, and a peak is found sooner than all that is near it.
    peaks = np.maximum(waveforms.max(axis=1), -waveforms.min(axis=1))
    for row in np.flatnonzero(peaks >= CLIPPING_LEVEL):
        fractions[row] = clipped_fraction(waveforms[row])
    return fractions
