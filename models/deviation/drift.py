"""Small shifts that persist: too small to see in one cry, and what monitoring is for.

Two references are kept apart. The baseline follows the infant; the admission reference, taken
from the first cries and refined by what follows while all is calm, stands for good after some days,
so that slow change cannot hide by being learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN

from models.deviation.population import Belief, Population, Vector
from models.deviation.reference import DIRECTIONS, Reference

# Each recent cry moves the recent mean by this much: a memory of some twelve cries, part of a
# day. Slower sees smaller shifts, later.
RECENT_GAIN = 0.15
# A recent mean of fewer cries is too noisy to name a distance.
FEWEST_RECENT = 4
# A single cry counts for no more than this many times the usual distance: one scream is no drift.
LONGEST_STEP = 1.5
# ... and moves the sum by no more than this.
LARGEST_TERM = 4.0
# Per cry, in standard deviations of the sum's terms. Shifts whose terms stay below it are left
# alone ...
CUSUM_ALLOWANCE = 0.5
# ... and those that are within so many standard deviations of the reference's own error, which
# never averages out. Without it nearly all false beginnings come in the first days.
ERROR_ALLOWANCE = 3.0
# The sum at which drift is said: the lowest at which neither synthetic infants nor recorded ones
# have clearly more than one false beginning in 1,200 cries (docs/deviation/drift.md).
CUSUM_LIMIT = 7.0
# The sum stops here, so that an infant who is back to usual is not called drifting for days.
CUSUM_CEILING = 2 * CUSUM_LIMIT
# Above, something speaks for a drift, and the reference learns nothing.
CALM_BELOW = CUSUM_LIMIT / 2
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
    recent mean's, where the infant's own cries have unit covariance, less what the reference's
    error adds. Without a shift their mean is 0 and their deviation 1, whatever the infant's
    scatter; with a shift it grows as the square of Mahalanobis' distance, as Hotelling's T-squared
    does ("Multivariate quality control", 1947), of which they are a recursive form.

    ADWIN (Bifet & Gavaldà, "Learning from time-changing data with adaptive windowing", 2007) on
    the standardized scores says that something changed; that raises the sum to its limit, and
    from then on the sum says whether the infant is still away.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._size = min(DIRECTIONS, population.size)
        self._reference: Reference | None = None
        self._recent = np.zeros(self._size)
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
        reference = self._reference
        if reference is None:
            return None
        noise = reference.noise(belief.uncertainty[: self._size])
        noise += reference.square / reference.count
        return self._away(reference, belief.mean[: self._size], noise)

    @property
    def sigma(self) -> float | None:
        """How far the recent mean is from the reference, in standard deviations of its own cries.

        Less what noise alone would give, and never below 0. None while it cannot be said.
        """
        reference = self._reference
        if reference is None or self._recent_cries < FEWEST_RECENT:
            return None
        noise = reference.square * (self._recent_variance + 1.0 / reference.count)
        return self._away(reference, self._recent, noise)

    def _away(self, reference: Reference, mean: Vector, noise: float) -> float:
        step = mean - reference.mean
        return float(np.sqrt(max(0.0, reference.product(step, step) - noise)))

    def freeze(self, cries: NDArray[np.floating]) -> None:
        """Take what the infant was like in these whitened cries [n, size] as its admission."""
        self._reference = Reference.of(cries)

    def learn(self, cry: Vector) -> None:
        """Let the reference learn from a whitened cry [size], later and only if all stays calm."""
        if self._reference is None:
            return
        if self.drifting:
            self._reference.forget_waiting()
        else:
            self._reference.learn(cry[: self._size], calm=self._sum < CALM_BELOW)

    def update(self, cry: Vector, sigma: float) -> None:
        """Hear a whitened cry [size] and its standardized score; both finite."""
        reference = self._reference
        if reference is None:
            return
        if self._changed(sigma):
            self._sum = max(self._sum, CUSUM_LIMIT)
        error = 1.0 / reference.count
        step = cry[: self._size] - reference.mean
        length = np.sqrt(reference.product(step, step))
        longest = LONGEST_STEP * np.sqrt(reference.square * (1.0 + error))
        if length > longest:
            step = step * (longest / length)
        if self._recent_cries >= FEWEST_RECENT:
            # Both are taken from the reference's mean and share its error.
            shared = reference.square * error
            scatter = np.sqrt((1.0 + error) * (self._recent_variance + error))
            product = reference.product(step, self._recent - reference.mean)
            term = (product - shared) / (scatter * reference.wildness)
            term = min(max(float(term), -LARGEST_TERM), LARGEST_TERM)
            # The square of an error of so many directions deviates by the root of twice them.
            allowance = CUSUM_ALLOWANCE + ERROR_ALLOWANCE * np.sqrt(2.0) * error / scatter
            self._sum = min(max(0.0, self._sum + term - float(allowance)), CUSUM_CEILING)
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
        """What was heard, for `from_arrays`: no reference is one of no numbers."""
        reference = self._reference
        return {
            **({"reference": np.zeros(0)} if reference is None else reference.to_arrays()),
            "recent": self._recent,
            "sums": np.array([self._recent_cries, self._recent_variance, self._sum]),
            "heard": np.array(self._heard, dtype=np.float64),
        }

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Replace what was heard by what `to_arrays` gave, also when it kept a `Belief`."""
        recent = np.array(arrays["recent"], dtype=np.float64)
        if recent.shape not in {(self._size,), (self._population.size,)}:
            raise ValueError(f"a recent mean of shape {recent.shape} is not one of this population")
        if not len(arrays["reference"]):
            self._reference = None
        elif "scatter" in arrays:
            self._reference = Reference.from_arrays(arrays)
        else:
            self._reference = Reference.from_belief(arrays, self._population)
        self._recent = recent[: self._size]
        cries, self._recent_variance, self._sum = (float(value) for value in arrays["sums"])
        self._recent_cries = int(cries)
        self._heard = [float(value) for value in arrays["heard"]]
        self._adwin = _adwin(self._heard)


def _adwin(heard: list[float] | None = None) -> ADWIN:
    adwin = ADWIN(delta=ADWIN_DELTA, clock=ADWIN_CLOCK)
    for sigma in heard or []:
        adwin.update(sigma)
    return adwin
