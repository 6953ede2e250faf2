"""A cry: breaths of voiced expiration with short inspirations between.

Source and filter after `voice.py`; the melody families and the modes of irregular phonation
(jitter, shimmer, subharmonics, turbulent noise) are those that cry analysis describes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.signal import lfilter

from models.synthesis.infant import Contour, Infant, one_cry_of
from models.synthesis.voice import harmonic_source, resonate, wander

PEAK: Final = 0.6
"""Largest sample of a cry: about where a phone's gain control leaves a loud one."""

BANDWIDTHS_HZ: Final = (280.0, 500.0, 700.0, 900.0)
"""Of the formants, lowest first: wider than in adults, for an infant's mouth is open and soft."""

FAVOURITE_CONTOUR_SHARE: Final = 0.7
"""Expirations that follow the infant's own melody; the others take any."""

# At roughness 1: a hoarse voice. A healthy cry has about a fifth of it.
JITTER: Final = 0.025
SHIMMER: Final = 0.25
SUBHARMONIC: Final = 0.9
BREATH_NOISE: Final = 0.6

SHORTEST_EXPIRATION_SECONDS: Final = 0.3


@dataclass(frozen=True)
class Cry:
    """A cry and where in it the infant is voicing.

    Attributes:
        waveform: float32 [samples].
        voiced: bool [samples], true during expirations: what a listener would mark as "cry".
    """

    waveform: np.ndarray
    voiced: np.ndarray


def synthesize_cry(
    infant: Infant, seconds: float, rng: np.random.Generator, sample_rate_hz: int = 16_000
) -> np.ndarray:
    """One cry of an infant: float32 [seconds * sample_rate_hz], its peak at `PEAK`.

    Every call is another cry: pitch, formants and roughness are drawn around the infant's own.

    Raises:
        ValueError: `seconds` is shorter than the shortest expiration (0.3 s).
    """
    return cry(infant, seconds, rng, sample_rate_hz).waveform


def cry(
    infant: Infant, seconds: float, rng: np.random.Generator, sample_rate_hz: int = 16_000
) -> Cry:
    """As `synthesize_cry`, with the truth about which samples are voiced."""
    if not seconds >= SHORTEST_EXPIRATION_SECONDS:
        raise ValueError(f"a cry of {seconds} s is shorter than one breath")
    voice = one_cry_of(infant, rng)
    total = round(seconds * sample_rate_hz)
    waveform = np.zeros(total)
    voiced = np.zeros(total, dtype=bool)
    shortest = round(SHORTEST_EXPIRATION_SECONDS * sample_rate_hz)
    start = 0
    while total - start >= shortest:
        length = round(voice.expiration_seconds * rng.lognormal(0.0, 0.3) * sample_rate_hz)
        length = min(max(length, shortest), total - start)
        loudness = 10.0 ** (rng.normal(0.0, 1.5) / 20.0)
        waveform[start : start + length] = loudness * _expiration(
            voice, length, rng, sample_rate_hz
        )
        voiced[start : start + length] = True
        start += length
        pause = round(voice.pause_seconds * rng.lognormal(0.0, 0.2) * sample_rate_hz)
        if total - start - pause < shortest:
            break  # no breath is drawn for a cry that will not come
        waveform[start : start + pause] = 0.12 * _inspiration(voice, pause, rng, sample_rate_hz)
        start += pause
    waveform *= PEAK / np.abs(waveform).max()
    return Cry(waveform.astype(np.float32), voiced)


def _melody(contour: Contour, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Shape of the pitch over one expiration, from -1 (lowest) to 1 (highest)."""
    t = np.linspace(0.0, 1.0, samples)
    peak = rng.uniform(0.25, 0.45)
    bent = t ** (np.log(0.5) / np.log(peak))  # puts the middle of what follows at the peak
    match contour:
        case Contour.FALLING:
            return 1.0 - 2.0 * t ** rng.uniform(0.8, 1.6)
        case Contour.ARCH:
            return 2.0 * np.sin(np.pi * bent) - 1.0
        case Contour.DOUBLE_ARCH:
            second = rng.uniform(0.6, 1.0)
            return 2.0 * np.abs(np.sin(2.0 * np.pi * t)) * np.where(t < 0.5, 1.0, second) - 1.0
        case Contour.PLATEAU:
            return 1.0 - 2.0 * np.clip((t - 0.75) / 0.25, 0.0, 1.0) ** 2
        case Contour.RISING:
            return 2.0 * t ** rng.uniform(0.8, 1.6) - 1.0


def _expiration(
    voice: Infant, samples: int, rng: np.random.Generator, sample_rate_hz: int
) -> np.ndarray:
    """One voiced breath, float64 [samples], near unit level."""
    t = np.arange(samples) / sample_rate_hz
    own = rng.random() < FAVOURITE_CONTOUR_SHARE
    contour = voice.contour if own else list(Contour)[rng.integers(len(Contour))]
    semitones = 0.5 * voice.melody_semitones * _melody(contour, samples, rng)
    semitones += voice.vibrato_semitones * np.sin(
        2.0 * np.pi * voice.vibrato_hz * t + rng.uniform(0.0, 2.0 * np.pi)
    )
    semitones += 0.35 * wander(samples, 3.0, rng, sample_rate_hz)
    # The folds need time to start and let go: the pitch slides in and falls out.
    semitones -= 4.0 * np.exp(-t / 0.03) + 5.0 * np.exp(-t[::-1] / 0.05)
    pitch = voice.pitch_hz * 2.0 ** (semitones / 12.0)

    # Irregularity belongs to glottal cycles, not to samples: one draw a cycle.
    cycle = np.cumsum(pitch / sample_rate_hz).astype(int)
    draws = rng.standard_normal((2, cycle[-1] + 1))
    pitch *= np.maximum(1.0 + (0.003 + JITTER * voice.roughness) * draws[0, cycle], 0.5)
    shimmer = 1.0 + (0.02 + SHIMMER * voice.roughness) * draws[1, cycle]

    # Rough phonation comes and goes within a breath.
    episode = np.clip(0.5 + wander(samples, 2.5, rng, sample_rate_hz), 0.0, 1.0) * voice.roughness
    source = harmonic_source(
        pitch, voice.tilt_db_per_octave, sample_rate_hz, np.clip(SUBHARMONIC * episode, 0.0, 1.0)
    )
    breath = rng.standard_normal(samples) * (0.02 + BREATH_NOISE * episode)
    source = source * shimmer + breath * (1.0 + 0.5 * source)

    formants = np.array(voice.formants_hz()) * rng.normal(1.0, 0.015)
    filtered = resonate(source, formants, BANDWIDTHS_HZ, sample_rate_hz)
    filtered = _radiated(filtered)
    effort = _envelope(t, rng) * (1.0 + 0.12 * wander(samples, 4.0, rng, sample_rate_hz))
    filtered *= effort
    return filtered / (np.sqrt(np.mean(filtered**2)) + 1e-9)


def _inspiration(
    voice: Infant, samples: int, rng: np.random.Generator, sample_rate_hz: int
) -> np.ndarray:
    """A gasp: turbulent air, at times with a thin voice above the cry's pitch."""
    t = np.linspace(0.0, 1.0, samples)
    gasp = rng.standard_normal(samples)
    if rng.random() < 0.3:
        pitch = voice.pitch_hz * rng.uniform(1.1, 1.6) * (1.0 + 0.15 * t)
        gasp += 2.0 * harmonic_source(pitch, -9.0, sample_rate_hz)
    gasp = resonate(gasp, voice.formants_hz(), BANDWIDTHS_HZ, sample_rate_hz)
    gasp *= np.sin(np.pi * t) ** 2
    return gasp / (np.sqrt(np.mean(gasp**2)) + 1e-9)


def _radiated(wave: np.ndarray) -> np.ndarray:
    """What leaves the lips: low frequencies stay behind (a leaky differentiator)."""
    return lfilter([1.0, -0.7], [1.0], wave)


def _envelope(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Loudness over one breath, 0 to 1: a quick onset, a slow loss of air, a softer end."""
    length = t[-1] + t[1]
    onset = min(rng.uniform(0.02, 0.08), 0.3 * length)
    release = min(rng.uniform(0.08, 0.25), 0.5 * length)
    rise = np.clip(t / onset, 0.0, 1.0)
    fall = np.clip((length - t) / release, 0.0, 1.0)
    return np.sin(0.5 * np.pi * rise) * np.sin(0.5 * np.pi * fall) * (1.0 - 0.3 * t / length)
