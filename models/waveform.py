"""Plain arithmetic on waveforms: resampling, level, clipping."""

from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

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
    common = gcd(from_rate_hz, to_rate_hz)
    up, down = to_rate_hz // common, from_rate_hz // common
    return resample_poly(waveforms, up, down, axis=-1).astype(np.float32)


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
