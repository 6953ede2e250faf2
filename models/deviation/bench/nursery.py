"""Embeddings of made-up infants: random directions on the sphere, cries scattered unevenly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 192


class Nursery:
    """Infants whose cries scatter alike, and more along some directions than along others.

    `between` is how far infants stand apart and `within` how far one infant's cries do, both as
    the length that each adds to the embedding before it is normalized to 1.
    """

    def __init__(self, seed: int, between: float = 0.35, within: float = 0.8) -> None:
        rng = np.random.default_rng(seed)
        basis = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0]
        # Infants differ along a few dozen directions; cries vary along most, ever less.
        apart = np.exp(-np.arange(SIZE) / 20)
        scatter = np.random.default_rng(seed + 1).permutation(np.exp(-np.arange(SIZE) / 60))
        self.between = basis * (between * apart / np.linalg.norm(apart))
        self.within = basis * (within * scatter / np.linalg.norm(scatter))
        self.middle = basis @ rng.normal(size=SIZE) / np.sqrt(SIZE)

    def infant(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Where one infant's cries lie."""
        return self.middle + self.between @ rng.normal(size=SIZE)

    def cries(
        self, infant: NDArray[np.float64], count: int, rng: np.random.Generator, spread: float = 1.0
    ) -> NDArray[np.float32]:
        """Embeddings float32 [count, 192] of unit length."""
        cries = infant + spread * rng.normal(size=(count, SIZE)) @ self.within.T
        return (cries / np.linalg.norm(cries, axis=1, keepdims=True)).astype(np.float32)

    def recordings(
        self, infants: int, rng: np.random.Generator, most: int = 6
    ) -> tuple[NDArray[np.float32], list[str]]:
        """A corpus: 1 to `most` cries of each of many infants, spreads between 0.8 and 1.25."""
        rows, names = [], []
        for i in range(infants):
            count = int(rng.integers(1, most + 1))
            spread = float(np.exp(rng.uniform(-0.22, 0.22)))
            rows.append(self.cries(self.infant(rng), count, rng, spread))
            names += [f"infant-{i:03d}"] * count
        return np.concatenate(rows), names
