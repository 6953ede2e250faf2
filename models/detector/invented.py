"""Synthetic recordings beside the real ones: cries whose truth is known, and what is no cry.

The corpus has few steady tones, and a detector that never heard one takes whatever is low and
harmonic for a cry. So the training hears tones, glides and tunes, monitors, talk and air; and some
synthetic cries, so that the simulated ward stays audible.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.augment import coloured_noise
from models.features import DETECTOR_RATE_HZ
from models.synthesis.cry import cry
from models.synthesis.infant import random_infant
from models.synthesis.noise import babble, beeps, hvac
from models.waveform import resample

CRIES, TONES, OF_EACH_NOISE, STEADY = 200, 250, 70, 160
SECONDS = 4
SYNTHESIS_RATE_HZ = 16_000
MARKS_HZ = 100
NOTES = (-5, -3, 0, 2, 4, 7, 12)  # semitones: a tune, of sorts


@dataclass(frozen=True)
class Invention:
    """A synthetic recording of whole seconds.

    Attributes:
        waveform: float32 [samples] at 8 kHz.
        marks: float32 [samples / 80]: 1 where it cries, 0 where not.
    """

    waveform: NDArray[np.float32]
    marks: NDArray[np.float32]


def inventions(seed: int = 77) -> list[Invention]:
    """About fifty minutes of synthetic recordings, the same for the same seed."""
    rng = np.random.default_rng(seed)
    made = [_cry(rng) for _ in range(CRIES)]
    made += [_no_cry(tone(SECONDS * DETECTOR_RATE_HZ, rng)) for _ in range(TONES)]
    noises: tuple[Callable[..., NDArray[np.float32]], ...] = (beeps, babble, hvac)
    for noise in noises:
        for _ in range(OF_EACH_NOISE):
            wave = noise(SECONDS * SYNTHESIS_RATE_HZ, rng, SYNTHESIS_RATE_HZ)
            level = 10 ** (rng.uniform(-40, -12) / 20)
            heard = resample(wave.astype(np.float32), SYNTHESIS_RATE_HZ, DETECTOR_RATE_HZ)
            made.append(_no_cry(level * heard))
    # Cries are mixed into noise; without noise by itself, a detector hears cries in it.
    for noise in coloured_noise(STEADY, SECONDS * DETECTOR_RATE_HZ, rng):
        made.append(_no_cry(10 ** (rng.uniform(-80, -15) / 20) * noise))
    return made


def tone(samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A harmonic sound at 8 kHz that is steady, glides, wavers or plays notes: [samples]."""
    t = np.arange(samples) / DETECTOR_RATE_HZ
    pitch = np.full(samples, np.exp(rng.uniform(np.log(180.0), np.log(1400.0))))
    match rng.integers(4):
        case 1:
            pitch *= 2 ** np.linspace(0, rng.uniform(-1, 1), samples)
        case 2:
            pitch *= 2 ** (rng.uniform(0.02, 0.5) * np.sin(2 * np.pi * rng.uniform(0.3, 6) * t))
        case 3:
            length = int(DETECTOR_RATE_HZ * rng.uniform(0.1, 0.5))
            notes = rng.choice(NOTES, size=samples // length + 1)
            pitch *= 2 ** (np.repeat(notes, length)[:samples] / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / DETECTOR_RATE_HZ
    tilt = rng.uniform(-18, -2)
    wave = np.zeros(samples)
    for k in range(1, rng.integers(2, 10)):
        if k * pitch.max() < DETECTOR_RATE_HZ / 2 or k == 1:
            level = 10 ** ((tilt * np.log2(k) + rng.normal(0, 4)) / 20)
            wave += level * np.sin(k * phase + rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.4:
        period = rng.uniform(0.15, 1.2)
        wave *= (t + rng.uniform(0, 1)) % period < period * rng.uniform(0.3, 0.8)
    wave *= 10 ** (rng.uniform(-30, -3) / 20) / np.abs(wave).max()
    return wave + rng.normal(0, 10 ** (rng.uniform(-70, -35) / 20), samples)


def _cry(rng: np.random.Generator) -> Invention:
    made = cry(random_infant(rng), float(SECONDS), rng, SYNTHESIS_RATE_HZ)
    level = 10 ** (rng.uniform(-25, 0) / 20)
    wave = level * resample(made.waveform, SYNTHESIS_RATE_HZ, DETECTOR_RATE_HZ)
    wave = wave + rng.normal(0, 10 ** (rng.uniform(-70, -40) / 20), wave.size)
    voiced = made.voiced.reshape(SECONDS * MARKS_HZ, -1).mean(axis=1) > 0.5
    return Invention(wave.astype(np.float32), voiced.astype(np.float32))


def _no_cry(wave: NDArray[np.floating]) -> Invention:
    marks = np.zeros(wave.size * MARKS_HZ // DETECTOR_RATE_HZ, np.float32)
    return Invention(wave.astype(np.float32), marks)
