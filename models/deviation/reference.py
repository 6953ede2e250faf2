"""What an infant was like at admission: where its cries lay, and how they scattered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.deviation.population import SPREAD_PRIOR_CRIES, Population, Vector

# The whitened directions come in the order of how much infants differ along them. Beyond so many
# they hardly differ; to hear more of them sees drift no sooner.
DIRECTIONS = 40
# How far cries scatter in each direction is the infant's own, and from few cries most of what is
# seen of it is chance: it weighs beside this many cries that scatter evenly.
EVEN_CRIES = 160.0
# The error of a mean of 24 cries hides small shifts and, where it is large, looks like one. So the
# reference goes on learning up to so many, and stands for good from then on ...
FULL_CRIES = 240
# ... but of a cry only once so many later ones have come and nothing spoke for a drift meanwhile:
# a shift is to be found before it is learnt. Of half as many, slow drift is learnt.
WAITING_CRIES = 48


class Reference:
    """The mean and covariance of the admission's cries, in the leading whitened directions.

    mean float64 [d]; count: how many cries it stands on; square: the mean square of a step from
    the true mean, as `product` measures; wildness: the standard deviation of the product of two
    such steps, the root of d or more.
    """

    def __init__(self, mean: Vector, scatter: NDArray[np.floating], count: int) -> None:
        """mean [d]; scatter [d, d], the sum of outer products of the cries' steps from there."""
        self.mean = mean
        self.count = count
        # As they are stored, so that a restart changes no bit.
        self._scatter = scatter.astype(np.float32)
        self._waiting: list[NDArray[np.float32]] = []
        self._measure()

    @classmethod
    def of(cls, cries: NDArray[np.floating]) -> Reference:
        """The reference of whitened cries float [n, size], three or more."""
        leading = cries[:, :DIRECTIONS].astype(np.float64)
        steps = leading - leading.mean(axis=0)
        return cls(leading.mean(axis=0), steps.T @ steps, len(cries))

    def _measure(self) -> None:
        scatter, freedom = self._scatter.astype(np.float64), self.count - 1
        size = self.mean.size
        even = (SPREAD_PRIOR_CRIES + np.trace(scatter) / size) / (SPREAD_PRIOR_CRIES + freedom)
        covariance = (EVEN_CRIES * even * np.eye(size) + scatter) / (EVEN_CRIES + freedom)
        self._precision = np.linalg.inv(covariance)
        # How cries really scatter there, for which the precision is not yet right: the trace of
        # their covariance, and of its square, without what chance adds to that (Wishart moments).
        seen = self._precision @ scatter / freedom
        square = float(np.trace(seen))
        fourth = np.sum(seen * seen.T) - square**2 / freedom
        fourth *= freedom**2 / ((freedom - 1) * (freedom + 2))
        # These cries helped to make the precision, which finds them nearer than any new one: the
        # rank-one update that leaves one of them out says by how much.
        unseen = 1.0 / (1.0 - square / (EVEN_CRIES + freedom))
        self.square = square * unseen
        # Never tamer than where all is even: from few cries less is mostly chance.
        self.wildness = float(np.sqrt(max(size, fourth * unseen**2)))

    def product(self, a: Vector, b: Vector) -> float:
        """Inner product of two steps [d] where this infant's cries have unit covariance."""
        return float(a @ self._precision @ b)

    def noise(self, variance: Vector) -> float:
        """What independent noise of this variance [d] adds to the square of a step."""
        return float(np.dot(np.diag(self._precision), variance))

    def learn(self, cry: Vector, calm: bool) -> None:
        """Hear a cry [d] that may be learnt from later; `calm`: nothing speaks for a drift."""
        if self.count >= FULL_CRIES:
            return
        self._waiting.append(cry.astype(np.float32))
        if len(self._waiting) <= WAITING_CRIES:
            return
        oldest = self._waiting.pop(0).astype(np.float64)
        if not calm:
            return
        self.count += 1
        step = oldest - self.mean
        self.mean = self.mean + step / self.count
        added = np.outer(step, step) * (1.0 - 1.0 / self.count)
        self._scatter = (self._scatter + added).astype(np.float32)
        self._measure()
        if self.count >= FULL_CRIES:
            self._waiting = []

    def forget_waiting(self) -> None:
        """Let those go that wait to be learnt from: some may be of a drift."""
        self._waiting = []

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What was heard, for `from_arrays`."""
        return {
            "reference": self.mean,
            "count": np.array([self.count]),
            "scatter": self._scatter[np.triu_indices(self.mean.size)],
            "waiting": np.array(self._waiting, np.float32).reshape(-1, self.mean.size),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Reference:
        """The reference that `to_arrays` put away."""
        mean = np.array(arrays["reference"], dtype=np.float64)
        scatter = np.zeros((mean.size, mean.size), dtype=np.float32)
        scatter[np.triu_indices(mean.size)] = arrays["scatter"]
        scatter = np.triu(scatter) + np.triu(scatter, 1).T
        reference = cls(mean, scatter, int(arrays["count"][0]))
        reference._waiting = list(np.array(arrays["waiting"], dtype=np.float32))
        return reference

    @classmethod
    def from_belief(cls, arrays: Mapping[str, NDArray[Any]], population: Population) -> Reference:
        """The reference of a monitor that kept a `Belief`, as all did up to format 2.

        The mean and how many cries it stands on follow from the belief's shrinkage; of how they
        scattered only the size was kept.
        """
        mean, uncertainty = (row[:DIRECTIONS] for row in np.array(arrays["reference"]))
        spread = float(arrays["reference_spread"][0])
        between = population.between[: mean.size]
        # Where infants do not differ, a belief is the ward's mean and says nothing of the cries.
        known = between > 0
        counts = spread * (1.0 / uncertainty[known] - 1.0 / between[known])
        count = max(3, round(float(np.median(counts)))) if known.any() else 3
        mean = np.where(known, mean * (1.0 + spread / (np.maximum(between, 1e-9) * count)), mean)
        return cls(mean, spread * (count - 1) * np.eye(mean.size), count)
