"""From a raw score to what it means for this infant: a standardized score and a p-value.

A raw score means nothing across infants. A conformal p-value does: it is the share of this
infant's accepted cries that were at least as strange when they were first heard, so that one
threshold is one false-alarm rate for everyone (Vovk, Gammerman & Shafer, "Algorithmic Learning in
a Random World", 2005, section 2.2; for anomaly detection, Laxhammar & Falkman, "Conformal
prediction for distribution-independent anomaly detection in streaming vessel data", 2010).
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

# While an infant's own cries are few, the ward's share in a p-value is that of this many cries.
# With a third, one made-up infant in forty has more than 0.20 of its usual cries under 0.05
# (docs/deviation/log.md).
WARD_CRIES = 96.0
# The same for the mean and scatter that scores are standardized with: they settle sooner.
SCALE_PRIOR_CRIES = 48.0
# What an infant did a hundred cries ago is still evidence of what is usual; a year ago is not. With
# 192, one growing infant in twelve is called strange for good (docs/deviation/log.md).
REMEMBERED_SCORES = 128
# Own cries are few up to the first of these. From there on the ward weighs less and less, a third
# when all scores that are remembered are the infant's: a fifth of a p-value.
FEW_TO_MANY = (32, REMEMBERED_SCORES)
SETTLED = 1 / 3
# Where a line between scores is looked for, in the ward's standard deviations: beyond every own
# score that the gate lets in; and so finely that no one sees the rest.
FARTHEST, BISECTIONS = 50.0, 40


def ward_weight(while_few: float, own: int) -> float:
    """How many cries' worth the ward's word is, beside `own` cries of the infant itself."""
    return while_few * float(np.interp(own, FEW_TO_MANY, (1.0, SETTLED)))


def conformal_p_value(
    score: float,
    own: NDArray[np.floating],
    ward: NDArray[np.floating],
    refused_share: float = 0.0,
    tie_break: float = 1.0,
) -> float:
    """How rare a score is, in (0, 1], against own scores helped out by the ward's.

    own float [n], ward float [m >= 1], both standardized like `score`. With no own scores this is
    the smoothed conformal p-value against the ward: (#{w > s} + t (#{w = s} + 1)) / (m + 1),
    Vovk et al. 2005, eq. 2.20, with t = `tie_break` in (0, 1]. As own scores come in, their
    empirical share takes over, n against `ward_weight(WARD_CRIES, n)`.

    The own scores are of cries that the gate let in, so their upper `refused_share` is missing:
    left alone, the p-values would shrink, more would be refused, and ever more. That tail is
    given the ward's shape.
    """
    strange = np.sum(ward > score) + tie_break * (np.sum(ward == score) + 1)
    by_ward = float(strange / (ward.size + 1))
    if own.size == 0:
        return by_ward
    at_least = float((np.sum(own > score) + tie_break * np.sum(own == score)) / own.size)
    by_own = (1.0 - refused_share) * at_least + min(refused_share, by_ward)
    share = own.size / (own.size + ward_weight(WARD_CRIES, own.size))
    return share * by_own + (1.0 - share) * by_ward


def tie_break(name: str) -> float:
    """The smoothing variable in (0, 1] for a cry, drawn from its name: a replay draws it again."""
    digest = hashlib.sha256(name.encode()).digest()
    return (int.from_bytes(digest[:8]) + 1) / 2**64


class Calibration:
    """What one infant's scores usually are, resting on the ward's the more the fewer they are.

    ward_scores float [m], pooled raw scores; refused_share: see `conformal_p_value`. Raises
    ValueError when the ward's scores are all one: then they say nothing of what is usual.
    """

    def __init__(self, ward_scores: NDArray[np.floating], refused_share: float) -> None:
        if np.ptp(ward_scores) == 0:
            raise ValueError("the ward's pooled scores are all one: they calibrate nothing")
        self._ward_mean = float(ward_scores.mean())
        self._ward_scatter = float(ward_scores.std())
        self._ward = (ward_scores - self._ward_mean) / self._ward_scatter
        self._refused_share = refused_share
        self._own: deque[float] = deque(maxlen=REMEMBERED_SCORES)

    @property
    def scores(self) -> NDArray[np.float64]:
        """Raw scores of this infant's accepted cries, oldest first."""
        return np.array(self._own, dtype=np.float64)

    def evaluate(self, score: float, tie_break: float = 1.0) -> tuple[float, float]:
        """(sigma, p-value) of a raw score.

        sigma is about N(0, 1) on usual cries of an infant that scatters like the ward, and is drawn
        to the ward's for others, the less the longer they are known; the p-value is in (0, 1].
        """
        own = self.scores
        prior = ward_weight(SCALE_PRIOR_CRIES, own.size)
        trust = prior + own.size
        mean = (prior * self._ward_mean + own.sum()) / trust
        variance = prior * self._ward_scatter**2
        if own.size:
            variance += np.sum(np.square(own - own.mean()))
        scale = np.sqrt(variance / (trust - (own.size > 0)))
        sigma = float((score - mean) / scale)
        p_value = conformal_p_value(
            sigma, (own - mean) / scale, self._ward, self._refused_share, tie_break
        )
        return sigma, p_value

    def sigma_at(self, p_value: float) -> float | None:
        """The sigma from which on a cry's p-value is below `p_value`; None if none's can be."""
        far = FARTHEST * self._ward_scatter
        low, high = self._ward_mean - far, self._ward_mean + far
        if self.evaluate(high)[1] >= p_value:
            return None
        # p-values fall as scores rise: bisection finds where they cross.
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            if self.evaluate(middle)[1] < p_value:
                high = middle
            else:
                low = middle
        return self.evaluate(high)[0]

    def learn(self, score: float) -> None:
        """Remember an accepted cry's score, taken before the cry itself was learnt from."""
        self._own.append(score)

    def restore(self, scores: Iterable[float]) -> None:
        """Replace what is remembered by what `scores` gave."""
        self._own = deque((float(score) for score in scores), maxlen=REMEMBERED_SCORES)
