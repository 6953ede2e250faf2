"""Cries of synthetic infants as the embedder gives them: before a drift, and at each step of it.

Embedding takes most of the time, so the cries are made once and kept in a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.deviation.baseline import REFERENCE_CRIES
from models.identity.runtime import SAMPLE_RATE_HZ, CryEmbedder
from models.synthesis.cry import synthesize_cry
from models.synthesis.infant import Infant, Trait, drifted, random_infant

# Amounts of drift, in within-infant standard deviations: a ramp passes through all of them.
AMOUNTS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
CRY_SECONDS = 3.0
SEED = 11


@dataclass(frozen=True)
class Sizes:
    """How many infants are made, and cries of each: usual ones, and of each amount of a trait."""

    infants: int = 16
    usual: int = 240
    drifted: int = 30


@dataclass(frozen=True)
class Voices:
    """Embeddings float32: usual [infants, cries, size], moved [infants, traits, amounts, cries,
    size] with traits in the order of `Trait` and amounts in that of `AMOUNTS`; and who embedded.
    """

    usual: NDArray[np.float32]
    moved: NDArray[np.float32]
    embedder: str

    def cries(self, infant: int, trait: int, amount: float) -> NDArray[np.float32]:
        """Cries [cries, size] of an infant whose trait has moved by the nearest of AMOUNTS.

        Of less than half the first of them: cries after those that enrol.
        """
        if amount < AMOUNTS[0] / 2:
            return self.usual[infant, REFERENCE_CRIES:]
        return self.moved[infant, trait, int(np.argmin(np.abs(np.array(AMOUNTS) - amount)))]


def read_voices(path: Path, sizes: Sizes, tick: Callable[[], object]) -> Voices:
    """The voices kept at `path`, or new ones where none are kept that fit; `tick` an infant."""
    embedder = CryEmbedder()
    if path.exists():
        with np.load(path, allow_pickle=False) as data:
            kept = Voices(data["usual"], data["moved"], str(data["embedder"]))
        if kept.embedder == embedder.version and _sizes(kept) == sizes:
            return kept
    usual, moved = [], []
    for number in range(sizes.infants):
        rng = np.random.default_rng([SEED, number])
        infant = random_infant(rng)
        usual.append(_cries(infant, sizes.usual, rng, embedder))
        moved.append(
            [
                [
                    _cries(drifted(infant, amount, (trait,)), sizes.drifted, rng, embedder)
                    for amount in AMOUNTS
                ]
                for trait in Trait
            ]
        )
        tick()
    voices = Voices(np.array(usual), np.array(moved), embedder.version)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, usual=voices.usual, moved=voices.moved, embedder=voices.embedder)
    partial.replace(path)
    return voices


def _sizes(voices: Voices) -> Sizes:
    return Sizes(voices.usual.shape[0], voices.usual.shape[1], voices.moved.shape[3])


def _cries(
    infant: Infant, count: int, rng: np.random.Generator, embedder: CryEmbedder
) -> NDArray[np.float32]:
    """Embeddings float32 [count, size] of an infant's cries."""
    return np.array(
        [
            embedder.embed(synthesize_cry(infant, CRY_SECONDS, rng), SAMPLE_RATE_HZ)
            for _ in range(count)
        ]
    )
