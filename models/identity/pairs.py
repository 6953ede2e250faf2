"""Draws training batches: two views of each of many infants, as different as can be.

What a pair has in common is what the network learns. So the two views come from different
recordings wherever an infant has two, every batch holds one kind of phone (telling AMR from ADPCM
teaches nothing about infants), and each view gets its own noise, bandwidth and gaps. All of that
is done on log-Mel frames, where it costs next to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.identity.verification import Owner

# The first of 80 HTK mel bands from 0 to 8 kHz that hears nothing of an 8 kHz recording.
NARROW_BAND_MELS = 60
NARROW_BAND_SHARE = 0.5
NOISE_SHARE = 0.7
# How far the loudest noise band lies under the loudest band of the cry.
NOISE_BELOW_DB = (5.0, 35.0)
# Real rooms are coloured: random walk over the mels, this many dB a step.
NOISE_COLOUR_DB = 2.0
# SpecAugment (Park et al. 2019): widest gap in mels, and in frames.
WIDEST_MEL_GAP = 10
WIDEST_FRAME_GAP = 20
# An infant with one recording can only meet itself in the same room, which is the easier lesson:
# it is drawn less often.
SINGLE_RECORDING_WEIGHT = 0.3


@dataclass(frozen=True)
class CryFrames:
    """The cry frames of one recording, float32 [frames, mels] in dB, and whose they are."""

    owner: Owner
    frames: np.ndarray


class PairSampler:
    """Endless batches of `views` of each infant from `cries`.

    Raises:
        ValueError: fewer than two views are asked for, or no platform has `infants_per_batch`
            installs, so no batch can be filled.
    """

    def __init__(
        self,
        cries: Sequence[CryFrames],
        infants_per_batch: int,
        frames_per_view: int,
        rng: np.random.Generator,
        views: int = 2,
    ) -> None:
        if views < 2:
            raise ValueError(f"an infant needs two views or more to meet itself, not {views}")
        self._views = views
        self._infants_per_batch = infants_per_batch
        self._frames_per_view = frames_per_view
        self._rng = rng
        by_infant: dict[tuple[str, str, str], list[CryFrames]] = defaultdict(list)
        for cry in cries:
            owner = cry.owner
            by_infant[owner.platform, owner.group, owner.infant].append(cry)
        self._platforms: dict[str, list[tuple[str, list[CryFrames]]]] = defaultdict(list)
        for (platform, group, _), recordings in by_infant.items():
            self._platforms[platform].append((group, recordings))
        counts = {p: len({g for g, _ in infants}) for p, infants in self._platforms.items()}
        self._names = [p for p, installs in counts.items() if installs >= infants_per_batch]
        if not self._names:
            raise ValueError(f"no platform has {infants_per_batch} installs: {counts}")
        sizes = np.array([counts[p] for p in self._names], dtype=float)
        self._shares = sizes / sizes.sum()

    def draw(self) -> np.ndarray:
        """One batch: float32 [infants, views, frames, mels], each mel's mean 0."""
        infants = self._platforms[str(self._rng.choice(self._names, p=self._shares))]
        weights = np.array(
            [1.0 if len(recordings) > 1 else SINGLE_RECORDING_WEIGHT for _, recordings in infants]
        )
        order = self._rng.choice(
            len(infants), size=len(infants), replace=False, p=weights / weights.sum()
        )
        chosen: dict[str, list[CryFrames]] = {}
        for index in order:
            group, recordings = infants[index]
            # Two identities of one install may be one infant: never each other's negatives.
            chosen.setdefault(group, recordings)
            if len(chosen) == self._infants_per_batch:
                break
        return np.stack([self._views_of(recordings) for recordings in chosen.values()])

    def _views_of(self, recordings: list[CryFrames]) -> np.ndarray:
        """[views, frames, mels], from as many recordings as there are, each taken as often."""
        if len(recordings) >= self._views:
            indices = self._rng.choice(len(recordings), size=self._views, replace=False)
            return np.stack([self._view(recordings[i].frames) for i in indices])
        order = self._rng.permutation(len(recordings))
        taken = [len(part) for part in np.array_split(np.arange(self._views), len(recordings))]
        # What one recording gives twice must not be the same stretch of it.
        parts = [
            part
            for i, count in zip(order, taken, strict=True)
            for part in np.array_split(recordings[i].frames, count)
        ]
        return np.stack([self._view(part) for part in parts])

    def _view(self, frames: np.ndarray) -> np.ndarray:
        return augmented(crop(frames, self._frames_per_view, self._rng), self._rng)


def crop(frames: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """A random stretch of `length` frames; a shorter cry is repeated until it is long enough.

    float32 [frames, mels] -> float32 [length, mels]
    """
    if len(frames) < length:
        frames = np.tile(frames, (-(-length // len(frames)), 1))
    start = rng.integers(len(frames) - length + 1)
    return frames[start : start + length]


def augmented(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another room, another phone, some of it missing; float32 [frames, mels] -> same, mean 0."""
    count, mels = frames.shape
    if rng.random() < NOISE_SHARE:
        colour = np.cumsum(NOISE_COLOUR_DB * rng.standard_normal(mels))
        level = frames.mean(axis=0).max() - rng.uniform(*NOISE_BELOW_DB)
        # The power of noise in one band and frame is exponentially distributed.
        flicker = 10 * np.log10(rng.standard_exponential((count, mels)) + 1e-3)
        noise = level + colour - colour.max() + flicker
        frames = 10 * np.log10(10 ** (frames / 10) + 10 ** (noise / 10))
    frames = (frames - frames.mean(axis=0)).astype(np.float32)
    if rng.random() < NARROW_BAND_SHARE:
        frames[:, NARROW_BAND_MELS:] = 0
    width = int(rng.integers(WIDEST_MEL_GAP + 1))
    start = int(rng.integers(mels - width + 1))
    frames[:, start : start + width] = 0
    width = int(rng.integers(min(WIDEST_FRAME_GAP, count // 4) + 1))
    start = int(rng.integers(count - width + 1))
    frames[start : start + width] = 0
    return frames
