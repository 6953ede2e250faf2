"""Cries of synthetic infants as the embedder gives them: without a drift, and all through one.

Every cry is another one. To draw a few again and again would move their mean, by itself, as far as
some of the drifts that are looked for. Embedding takes most of the time, so what is made is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.identity.runtime import SAMPLE_RATE_HZ, CryEmbedder
from models.synthesis.cry import synthesize_cry
from models.synthesis.infant import Infant, Trait, drifted, random_infant

# Where a drift ends up, in within-infant standard deviations of the trait.
AMOUNTS = (0.5, 1.0, 2.0)
CRY_SECONDS = 3.0
# Methods and their settings were chosen on the infants of one seed and are reported on another's.
CHOSEN_ON = 11
REPORTED_ON = 12


class Shape(StrEnum):
    """How a drift comes."""

    STEP = "step"
    RAMP = "ramp"


@dataclass(frozen=True)
class Sizes:
    """How many infants there are, and cries of each.

    usual: without a drift. followed: from the beginning of each drift on; ramp: how many of those
    pass until a ramp is where it ends up.
    """

    infants: int = 16
    usual: int = 504
    followed: int = 120
    ramp: int = 60


@dataclass(frozen=True)
class Voices:
    """Embeddings float32: usual [infants, cries, size]; moved [infants, traits, amounts, cries,
    size], the cries after steps, and ramps alike, with traits in the order of `Trait` and amounts
    in that of `AMOUNTS`; and who embedded.
    """

    usual: NDArray[np.float32]
    steps: NDArray[np.float32]
    ramps: NDArray[np.float32]
    embedder: str

    def drift(
        self, infant: int, trait: int, amount: int, shape: Shape, order: np.random.Generator
    ) -> NDArray[np.float32]:
        """The cries [followed, size] from the beginning of a drift on.

        Cries that have come all the way are in a random order; where a ramp has ended up they
        are those after a step.
        """
        step = order.permutation(self.steps[infant, trait, amount])
        if shape is Shape.STEP:
            return step
        ramp = self.ramps[infant, trait, amount]
        return np.concatenate([ramp, step[: len(step) - len(ramp)]])


def read_voices(folder: Path, sizes: Sizes, seed: int, tick: Callable[[], object]) -> Voices:
    """The voices kept in `folder`, an infant a file, made where there is none that fits.

    Infants of another `seed` are others. `tick` is called for each infant.
    """
    embedder = CryEmbedder()
    kept = []
    for number in range(sizes.infants):
        kept.append(_read(folder / f"{seed}-{number:03d}.npz", sizes, [seed, number], embedder))
        tick()
    arrays = (np.array([one[name] for one in kept]) for name in ("usual", "steps", "ramps"))
    return Voices(*arrays, embedder.version)


def _read(
    path: Path, sizes: Sizes, seed: list[int], embedder: CryEmbedder
) -> dict[str, NDArray[np.float32]]:
    names = ("usual", "steps", "ramps")
    if path.exists():
        with np.load(path, allow_pickle=False) as data:
            one = {name: data[name] for name in names}
            shapes = (len(one["usual"]), one["steps"].shape[2], one["ramps"].shape[2])
            if str(data["embedder"]) == embedder.version and shapes == (
                sizes.usual,
                sizes.followed,
                sizes.ramp,
            ):
                return one
    rng = np.random.default_rng(seed)
    infant = random_infant(rng)

    def moved(shares: Iterable[float]) -> NDArray[np.float32]:
        """[traits, amounts, cries, size] of cries that have come so far of the way."""
        shares = list(shares)
        return np.array(
            [
                [
                    _cries((drifted(infant, s * amount, (trait,)) for s in shares), rng, embedder)
                    for amount in AMOUNTS
                ]
                for trait in Trait
            ]
        )

    one = {
        "usual": _cries([infant] * sizes.usual, rng, embedder),
        "steps": moved([1.0] * sizes.followed),
        "ramps": moved((since + 1) / sizes.ramp for since in range(sizes.ramp)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **one, embedder=embedder.version)
    partial.replace(path)
    return one


def _cries(
    infants: Iterable[Infant], rng: np.random.Generator, embedder: CryEmbedder
) -> NDArray[np.float32]:
    """Embeddings float32 [n, size] of a cry of each."""
    return np.array(
        [
            embedder.embed(synthesize_cry(infant, CRY_SECONDS, rng), SAMPLE_RATE_HZ)
            for infant in infants
        ]
    )
