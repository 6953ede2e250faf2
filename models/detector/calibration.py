"""Makes a score mean what it says: of the seconds scored 0.8, eight in ten are cries.

Platt (1999), "Probabilistic outputs for support vector machines": a slope and an offset on the
logit, fitted on seconds that the networks did not train on. Two numbers cannot overfit a few
hundred seconds, and they keep the order of the scores.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

BINS = 10
# Keeps a slope from running away where the classes can be told apart without error.
RIDGE = 1e-3


@dataclass(frozen=True)
class Calibration:
    """`sigmoid(slope * logit + offset)` is the probability."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities of float [n] logits."""
        return 1 / (1 + np.exp(-(self.slope * np.asarray(logits, np.float64) + self.offset)))


def fit(
    logits: NDArray[np.floating], cries: NDArray[np.bool_], prior: float | None = None
) -> Calibration:
    """The calibration of least log loss.

    Args:
        logits: float [n].
        cries: bool [n].
        prior: how common cries shall be held to be; None: as common as in `cries`.
    """
    share = float(np.mean(cries))
    prior = share if prior is None else prior
    weights = np.where(cries, prior / share, (1 - prior) / (1 - share))
    signs = np.where(cries, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> float:
        margin = signs * (parameters[0] * logits + parameters[1])
        return float(np.mean(weights * np.logaddexp(0, -margin)) + RIDGE * parameters[0] ** 2)

    slope, offset = minimize(loss, [1.0, 0.0], method="Nelder-Mead").x
    return Calibration(float(slope), float(offset))


@dataclass(frozen=True)
class Bin:
    """Seconds with similar scores.

    Attributes:
        score: their mean.
        share: of cries among them.
        count: how many they are.
    """

    score: float
    share: float
    count: int


def reliability(scores: NDArray[np.floating], cries: NDArray[np.bool_]) -> list[Bin]:
    """Ten bins of equal width over 0 to 1; the empty ones are left out."""
    numbers = np.minimum((np.asarray(scores) * BINS).astype(int), BINS - 1)
    return [
        Bin(float(scores[inside].mean()), float(cries[inside].mean()), int(inside.sum()))
        for inside in (numbers == number for number in range(BINS))
        if inside.any()
    ]


def expected_calibration_error(scores: NDArray[np.floating], cries: NDArray[np.bool_]) -> float:
    """Mean distance of score and share over the bins, weighed by their seconds.

    Naeini, Cooper and Hauskrecht (2015), with ten bins of equal width.
    """
    bins = reliability(scores, cries)
    return sum(b.count * abs(b.score - b.share) for b in bins) / len(scores)
