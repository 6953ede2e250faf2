"""One chain from a clean window to what a ward's monitor might deliver of it.

In the order of nature: the infant, the room, other sounds, the microphone and the line, the level.
Cries and all else go through the same chain, so that nothing in it tells them apart.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.augment import (
    at_speed,
    coloured_noise,
    in_room,
    through_microphone,
    with_noise,
)

# Probabilities, each drawn for itself; other sounds are mixed into cries more often than into
# each other.
SPEED, ROOM, NOISE_ON_CRY, NOISE_ELSEWHERE, MICROPHONE = 0.4, 0.25, 0.5, 0.3, 0.6
COLOURED = 0.25  # of the noises, the rest are recordings
# A cry much slower or faster is no infant's; a cat or a child at any pitch is still none.
CRY_SPEEDS, OTHER_SPEEDS = (0.88, 1.14), (0.75, 1.3)
DECAY_SECONDS, DIRECT_DB = (0.15, 0.9), (-6.0, 15.0)
SNR_DB = (-3.0, 20.0)
# Overdriven before the level is set: a clipped cry may arrive softly, and most loud ones are whole.
# With gain alone to clip them, loud sounds were heard worse than the same ones 20 dB softer.
OVERDRIVEN, DRIVE_DB = 0.15, (3.0, 18.0)
GAIN_DB = (-32.0, 14.0)
QUIETEST = 1e-4
# Masks on spectrograms (SpecAugment, Park et al. 2019): up to 8 mels and 12 frames.
MASKED, MASKED_MELS, MASKED_FRAMES = 0.6, 8, 12

Noises = Callable[[int], NDArray[np.float32]]


def played(
    waveforms: NDArray[np.float32], others: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Some of float32 [batch, samples] at another speed; returns them and all factors [batch].

    `others`, bool [batch], are surely no cries: their speed may change more.
    """
    factors = np.ones(len(waveforms))
    chosen = rng.random(len(waveforms)) < SPEED
    waveforms = waveforms.copy()
    for these, speeds in ((chosen & ~others, CRY_SPEEDS), (chosen & others, OTHER_SPEEDS)):
        if these.any():
            waveforms[these], factors[these] = at_speed(waveforms[these], rng, speeds)
    return waveforms, factors


def heard(
    waveforms: NDArray[np.float32],
    cries: NDArray[np.bool_],
    noises: Noises,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Float32 [batch, samples] at 8 kHz as some monitor would deliver them, 16-bit steps included.

    Args:
        waveforms: clean sounds.
        cries: bool [batch]: which of them hold a cry, or may.
        noises: gives so many other sounds of the same length, none of them a cry.
        rng: of all that is drawn.
    """
    batch = len(waveforms)
    waveforms = waveforms.copy()
    chosen = rng.random(batch) < ROOM
    if chosen.any():
        waveforms[chosen] = in_room(waveforms[chosen], rng, DECAY_SECONDS, DIRECT_DB)
    chosen = rng.random(batch) < np.where(cries, NOISE_ON_CRY, NOISE_ELSEWHERE)
    if chosen.any():
        others = noises(int(chosen.sum()))
        coloured = rng.random(len(others)) < COLOURED
        others[coloured] = coloured_noise(int(coloured.sum()), others.shape[1], rng)
        waveforms[chosen] = with_noise(waveforms[chosen], others, rng, SNR_DB)
    chosen = rng.random(batch) < MICROPHONE
    if chosen.any():
        waveforms[chosen] = through_microphone(waveforms[chosen], rng)
    return _at_some_level(waveforms, rng)


def _at_some_level(waveforms: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Float32 [batch, samples] turned up or down, some of them clipped before, in 16 bits."""
    shape = (len(waveforms), 1)
    peaks = np.maximum(np.abs(waveforms).max(axis=1, keepdims=True), QUIETEST)
    driven = (rng.random(shape) < OVERDRIVEN) & (peaks > QUIETEST)
    drive = np.where(driven, 10 ** (rng.uniform(*DRIVE_DB, shape) / 20), 1.0)
    gain = np.minimum(10 ** (rng.uniform(*GAIN_DB, shape) / 20), 1 / peaks)
    scaled = gain * np.clip(waveforms * drive, -peaks, peaks)
    return (np.rint(scaled * 32767) / 32767).astype(np.float32)


def masked(spectrograms: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Float32 [batch, mels, frames], in some of which a band and a stretch become the mean."""
    _, mels, frames = spectrograms.shape
    spectrograms = spectrograms.copy()
    for row in np.flatnonzero(rng.random(len(spectrograms)) < MASKED):
        spectrogram = spectrograms[row]
        mean = spectrogram.mean()
        first, width = rng.integers(0, mels - MASKED_MELS), rng.integers(1, MASKED_MELS + 1)
        spectrogram[first : first + width] = mean
        first, width = rng.integers(0, frames - MASKED_FRAMES), rng.integers(1, MASKED_FRAMES + 1)
        spectrogram[:, first : first + width] = mean
    return spectrograms
