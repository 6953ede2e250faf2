"""Distance to the nearest of an infant's own cries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.deviation.detectors.replay import REPLAYED_CRIES, ReplayDetector
from models.deviation.population import Population

# One neighbour makes a single odd cry usual; more than a few need more cries than there are.
NEIGHBOURS = 3


class NearestNeighbours(ReplayDetector):
    """Mean Euclidean distance to the k nearest kept cries.

    Has no notion of the infant's spread: what is far depends on how many cries are kept, since
    the nearest of many is nearer.

    Examples
    --------
    >>> import numpy as np
    >>> from models.deviation.population import Population
    >>> flat = Population(np.zeros(2), np.zeros(2), np.eye(2), np.ones(2))
    >>> detector = NearestNeighbours(flat, neighbours=1)
    >>> detector.learn_one({0: 1.0, 1: 0.0})
    >>> detector.score_one({0: 1.0, 1: 2.0})
    2.0

    References
    ----------
    Ramaswamy, Rastogi & Shim, "Efficient algorithms for mining outliers from large data sets",
    2000; the mean over neighbours: Angiulli & Pizzuti, 2002.
    """

    def __init__(
        self,
        population: Population,
        memory_cries: int = REPLAYED_CRIES,
        whitened: bool = False,
        neighbours: int = NEIGHBOURS,
    ) -> None:
        super().__init__(population, memory_cries, whitened)
        self.neighbours = neighbours

    def _fit(self, cries: NDArray[np.float64]) -> None:
        self._known = cries

    def _score(self, cry: NDArray[np.float64]) -> float:
        distances = np.sort(np.linalg.norm(self._known - cry, axis=1))
        return float(distances[: self.neighbours].mean())
