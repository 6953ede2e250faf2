"""The default detector: the ward's whitening, the infant's own mean and spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.deviation.detectors.base import Features, PersonalDetector, as_embedding
from models.deviation.population import Belief, Population

# Beyond this many cries the oldest fade, so that healthy growth is followed. Shorter forgets what
# is usual within a day of crying; longer never catches up with a growing infant.
MEMORY_CRIES = 96


class GaussianDetector(PersonalDetector):
    """Distance from the infant's mean where one infant's cries vary alike in all directions.

    Both the infant's mean and its spread are shrunk to the ward's by how few cries stand behind
    them, so that scores mean the same after 2 cries and after 200. It is blind to two usual ways
    of crying of one infant: what lies between them scores lower than either.

    Parameters
    ----------
    population
        What all infants share; read, never changed.
    memory_cries
        How many cries the running mean and spread remember.

    Examples
    --------
    >>> import numpy as np
    >>> from models.deviation.detectors.gaussian import GaussianDetector
    >>> from models.deviation.population import Population
    >>> population = Population(np.zeros(3), np.zeros(3), 2 * np.eye(3), np.ones(3))
    >>> detector = GaussianDetector(population)
    >>> for _ in range(8):
    ...     detector.learn_one({0: 2.0, 1: 0.0, 2: 0.0})
    >>> round(detector.score_one({0: 2.0, 1: 0.0, 2: 0.0}), 2)
    0.09
    >>> round(detector.score_one({0: -2.0, 1: 0.0, 2: 0.0}), 2)
    3.13

    References
    ----------
    Brümmer & de Villiers, "The speaker partitioning problem", Odyssey 2010, section 2.
    Welford, "Note on a method for calculating corrected sums of squares and products", 1962.
    """

    def __init__(self, population: Population, memory_cries: int = MEMORY_CRIES) -> None:
        self.population = population
        self.memory_cries = memory_cries
        self._count = 0.0
        self._mean = np.zeros(population.size)
        self._scatter = 0.0

    @property
    def belief(self) -> Belief:
        """What is known about this infant so far, in the whitened space."""
        return self.population.believe(self._mean, self._scatter, self._count)

    @property
    def count(self) -> float:
        """How many cries the belief stands on, `memory_cries` at most."""
        return self._count

    def score_one(self, x: Features) -> float:
        cry = self.population.whiten(as_embedding(x, self.population.size))
        return self.population.nonconformity(cry, self.belief)

    def learn_one(self, x: Features) -> None:
        cry = self.population.whiten(as_embedding(x, self.population.size))
        if self._count >= self.memory_cries:
            # The past keeps its mean and its variance, and counts for one cry less.
            self._scatter *= (self._count - 2.0) / (self._count - 1.0)
            self._count -= 1.0
        self._count += 1.0
        step = cry - self._mean
        self._mean = self._mean + step / self._count
        self._scatter += self.population.mean_product(step, cry - self._mean)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"mean": self._mean, "running": np.array([self._count, self._scatter])}

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        mean = np.array(arrays["mean"], dtype=np.float64)
        if mean.shape != (self.population.size,):
            raise ValueError(f"a mean of shape {mean.shape} is not one of this population")
        count, scatter = (float(value) for value in arrays["running"])
        self._mean, self._count, self._scatter = mean, count, scatter
