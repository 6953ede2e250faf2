"""The two halves of any voice: a harmonic source and a filter of formants.

Source-filter theory after Fant (1960), "Acoustic Theory of Speech Production": the glottis makes a
buzz, the vocal tract colours it, and neither bothers the other. Infants and the babble of adults
are both made of this.
"""

from collections.abc import Sequence

import numpy as np
from scipy.signal import lfilter

FORMANT_CEILING = 0.45
"""Formants above this share of the sample rate are left out: a resonance at Nyquist rings."""


def harmonic_source(
    pitch_hz: np.ndarray,
    tilt_db_per_octave: float,
    sample_rate_hz: int,
    subharmonic: np.ndarray | float = 0.0,
) -> np.ndarray:
    """A glottal buzz of unit level: every harmonic of the pitch up to Nyquist.

    Args:
        pitch_hz: float [samples], the fundamental at each sample, with all its irregularities.
        tilt_db_per_octave: level of each harmonic against the first; negative.
        subharmonic: float [samples] or a number from 0 to 1: how deep every second glottal cycle
            is weakened (period doubling).

    Returns:
        float64 [samples].
    """
    phase = 2.0 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    nyquist = sample_rate_hz / 2.0
    wave = np.zeros_like(phase)
    power = 0.0
    # cos(k p) = 2 cos(p) cos((k - 1) p) - cos((k - 2) p): one multiplication a harmonic.
    step = 2.0 * np.cos(phase)
    previous, current = np.ones_like(phase), step / 2.0
    lowest, highest = float(pitch_hz.min()), float(pitch_hz.max())
    for k in range(1, int(nyquist / lowest) + 1):
        level = 10.0 ** (tilt_db_per_octave * np.log2(k) / 20.0)
        power += level**2 / 2.0
        if k * highest < nyquist:
            wave += level * current
        else:  # faded out over the last tenth below Nyquist, so that no harmonic folds back
            wave += level * current * np.clip((nyquist - k * pitch_hz) / (0.1 * nyquist), 0.0, 1.0)
        previous, current = current, step * current - previous
    if np.any(subharmonic):
        wave *= 1.0 + np.asarray(subharmonic) * np.cos(phase / 2.0)
    return wave / np.sqrt(power)


def resonate(
    wave: np.ndarray,
    formants_hz: Sequence[float],
    bandwidths_hz: Sequence[float],
    sample_rate_hz: int,
) -> np.ndarray:
    """Passes float [samples] through a cascade of two-pole resonators of unit gain at 0 Hz.

    Klatt (1980), "Software for a cascade/parallel formant synthesizer", eq. 2.
    """
    for centre, bandwidth in zip(formants_hz, bandwidths_hz, strict=True):
        if centre > FORMANT_CEILING * sample_rate_hz:
            continue
        radius = np.exp(-np.pi * bandwidth / sample_rate_hz)
        b = 2.0 * radius * np.cos(2.0 * np.pi * centre / sample_rate_hz)
        c = -(radius**2)
        wave = lfilter([1.0 - b - c], [1.0, -b, -c], wave)
    return wave


def wander(
    samples: int, cutoff_hz: float, rng: np.random.Generator, sample_rate_hz: int
) -> np.ndarray:
    """A slow random movement around 0, about unit deviation and bandwidth `cutoff_hz`.

    Returns:
        float64 [samples].
    """
    seconds = samples / sample_rate_hz
    knots = max(2, int(np.ceil(seconds * 2.0 * cutoff_hz)) + 2)
    at = np.linspace(0.0, samples, knots)
    return np.interp(np.arange(samples), at, rng.standard_normal(knots))
