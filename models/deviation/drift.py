"""Small shifts that persist: too small to see in one cry, and what monitoring is for.

Two references are kept apart. The baseline follows the infant; the admission reference, taken
from the first cries, never moves, so that slow change cannot hide by being learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN

from models.deviation.population import Belief, Population, Vector

# Each recent cry moves the recent mean by this much: a memory of some twelve cries, part of a
# day. Slower sees smaller shifts, later.
RECENT_GAIN = 0.15
# A recent mean of fewer cries is too noisy to name a distance.
FEWEST_RECENT = 4
# A single cry counts for no more than this many times the usual distance: one scream is no drift.
LONGEST_STEP = 1.5
# ... and moves the sum by no more than this.
LARGEST_TERM = 4.0
# How wild the sum's terms are is told by pairs of cries: of fewer cries there are too few.
FEWEST_FOR_WILDNESS = 12
# Per cry, in standard deviations of the sum's terms. Shifts whose terms stay below it are left
# alone, among them the reference's own error, which never averages out.
CUSUM_ALLOWANCE = 0.8
# The sum at which drift is said. With the allowance and 24 cries of reference: on simulated
# infants 0.2 to 0.4 false starts in 1,000 cries, and a shift of 1.5 within-infant standard
# deviations seen after some 20 cries, of 2 after 12 (weights/ward.md).
CUSUM_LIMIT = 10.0
# The sum stops here, so that an infant who is back to usual is not called drifting for days.
CUSUM_CEILING = 2 * CUSUM_LIMIT
# river's ADWIN looks every 32 values by default: for cries that is days.
ADWIN_CLOCK = 1
# river's default; on 13,500 usual cries it was not wrong once.
ADWIN_DELTA = 0.002
# ADWIN's windows cannot be put away as arrays; its last inputs can, and are replayed. At twice
# this many it is rebuilt from the last so many, in memory just as after a restart.
REPLAYED_SCORES = 128
# ADWIN's bound is for bounded values: what is beyond here is as strange as it gets.
LARGEST_SIGMA = 6.0


class DriftMonitor:
    """Compares an infant's recent cries with its admission reference.

    `sum` is a one-sided CUSUM (Page, "Continuous inspection schemes", 1954). Its terms are inner
    products of two independent estimates of the shift since admission, the new cry's and the
    recent mean's, less what the reference's own uncertainty adds: without a shift their mean is
    0, with a shift of d within-infant standard deviations it is d squared, however many
    directions there are. Directions along which infants differ weigh most: an infant's own
    voice moves along those.

    ADWIN (Bifet & Gavaldà, "Learning from time-changing data with adaptive windowing", 2007) on
    the standardized scores says that something changed; that raises the sum to its limit, and
    from then on the sum says whether the infant is still away.
    """

    def __init__(self, population: Population) -> None:
        self._weights = population.weights
        self._reference: Belief | None = None
        self._wildness = 1.0
        self._recent = np.zeros(population.size)
        self._recent_cries = 0
        # Variance of the recent mean, in units of one cry's.
        self._recent_variance = 0.0
        self._sum = 0.0
        self._heard: list[float] = []
        self._adwin = _adwin()

    @property
    def frozen(self) -> bool:
        """Whether the admission reference has been taken."""
        return self._reference is not None

    @property
    def drifting(self) -> bool:
        """Whether the infant has been away from its admission reference for long enough."""
        return self._sum >= CUSUM_LIMIT

    @property
    def sum(self) -> float:
        """The CUSUM: drift is said from CUSUM_LIMIT on."""
        return self._sum

    def distance(self, belief: Belief) -> float | None:
        """How far another belief's mean lies from the reference, as `sigma` measures it."""
        if self._reference is None:
            return None
        return self._away(self._reference, belief.mean, belief.uncertainty)

    @property
    def sigma(self) -> float | None:
        """How far the recent mean is from the reference, in within-infant standard deviations.

        Less what noise alone would give, and never below 0. None while it cannot be said.
        """
        reference = self._reference
        if reference is None or self._recent_cries < FEWEST_RECENT:
            return None
        noise = np.full_like(self._recent, self._recent_variance * reference.spread)
        return self._away(reference, self._recent, noise)

    def _away(self, reference: Belief, mean: Vector, noise: Vector) -> float:
        squared = np.square(mean - reference.mean) - (noise + reference.uncertainty)
        return float(np.sqrt(max(0.0, np.dot(self._weights, squared)) / reference.spread))

    def freeze(self, reference: Belief, cries: NDArray[np.floating] | None = None) -> None:
        """Take what is known of the infant now as what it was like at admission.

        cries float [n, size]: whitened ones of the admission. They say how much wilder the sum's
        terms are than where cries vary alike in all directions: an infant that varies in few has
        the same spread, and inner products many times as large.
        """
        self._reference = reference
        self._wildness = 1.0
        if cries is None or len(cries) < FEWEST_FOR_WILDNESS:
            return
        steps = cries - cries.mean(axis=0)
        products = (steps * self._weights) @ steps.T
        pairs = products[np.triu_indices(len(cries), 1)]
        alike = reference.spread * np.linalg.norm(self._weights)
        # Never tamer: with some hundred pairs less than 1 is mostly chance.
        self._wildness = max(1.0, float(pairs.std() / alike))

    def update(self, cry: Vector, sigma: float) -> None:
        """Hear a whitened cry [size] and its standardized score; both finite."""
        if self._reference is None:
            return
        if self._changed(sigma):
            self._sum = max(self._sum, CUSUM_LIMIT)
        reference = self._reference
        expected = reference.spread + reference.uncertainty
        step = cry - reference.mean
        length = np.sqrt(np.dot(self._weights, np.square(step)))
        longest = LONGEST_STEP * np.sqrt(np.dot(self._weights, expected))
        if length > longest:
            step = step * (longest / length)
        if self._recent_cries >= FEWEST_RECENT:
            recent = self._recent - reference.mean
            shared = np.dot(self._weights, reference.uncertainty)
            recent_noise = self._recent_variance * reference.spread + reference.uncertainty
            alike = np.sqrt(np.dot(np.square(self._weights), expected * recent_noise))
            scatter = self._wildness * alike
            term = (np.dot(self._weights, step * recent) - shared) / scatter
            term = min(max(float(term), -LARGEST_TERM), LARGEST_TERM)
            self._sum = min(max(0.0, self._sum + term - CUSUM_ALLOWANCE), CUSUM_CEILING)
        self._recent_cries += 1
        gain = max(RECENT_GAIN, 1.0 / self._recent_cries)
        self._recent = (1.0 - gain) * self._recent + gain * (reference.mean + step)
        self._recent_variance = (1.0 - gain) ** 2 * self._recent_variance + gain**2

    def _changed(self, sigma: float) -> bool:
        """Whether ADWIN finds that scores have become higher."""
        sigma = min(max(sigma, -LARGEST_SIGMA), LARGEST_SIGMA)
        before = self._adwin.estimation
        self._adwin.update(sigma)
        self._heard.append(sigma)
        if self._adwin.drift_detected:
            higher = self._adwin.estimation > before
            self._heard = []
            self._adwin = _adwin()
            return higher
        if len(self._heard) >= 2 * REPLAYED_SCORES:
            self._heard = self._heard[-REPLAYED_SCORES:]
            self._adwin = _adwin(self._heard)
        return False

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What was heard, for `from_arrays`: no reference is one of no rows."""
        reference = self._reference
        return {
            "reference": np.zeros((0, self._recent.size))
            if reference is None
            else np.stack([reference.mean, reference.uncertainty]),
            "reference_spread": np.array([reference.spread if reference else 1.0]),
            "wildness": np.array([self._wildness]),
            "recent": self._recent,
            "sums": np.array([self._recent_cries, self._recent_variance, self._sum]),
            "heard": np.array(self._heard, dtype=np.float64),
        }

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Replace what was heard by what `to_arrays` gave."""
        recent = np.array(arrays["recent"], dtype=np.float64)
        if recent.shape != self._recent.shape:
            raise ValueError(f"a recent mean of shape {recent.shape} is not one of this population")
        reference = None
        if len(arrays["reference"]):
            mean, uncertainty = np.array(arrays["reference"], dtype=np.float64)
            reference = Belief(mean, uncertainty, float(arrays["reference_spread"][0]))
        self._reference = reference
        self._wildness = float(arrays["wildness"][0])
        self._recent = recent
        cries, self._recent_variance, self._sum = (float(value) for value in arrays["sums"])
        self._recent_cries = int(cries)
        self._heard = [float(value) for value in arrays["heard"]]
        self._adwin = _adwin(self._heard)


def _adwin(heard: list[float] | None = None) -> ADWIN:
    adwin = ADWIN(delta=ADWIN_DELTA, clock=ADWIN_CLOCK)
    for sigma in heard or []:
        adwin.update(sigma)
    return adwin
