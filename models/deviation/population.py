"""Where cries lie and how they scatter: what a handful of one infant's cries cannot tell.

A two-covariance model (Brümmer & de Villiers, "The speaker partitioning problem", 2010,
section 2): infants' means vary with `between` around `mean`, and cries vary with unit covariance
around their infant's mean, once `transform` has whitened them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# How many cries the ward's spread counts for beside an infant's own: with fewer of its own, an
# infant's spread says more about which cries came first than about the infant.
SPREAD_PRIOR_CRIES = 6.0

Vector = NDArray[np.float64]


class WardError(ValueError):
    """A ward model that cannot be read, or that these embeddings cannot make."""


@dataclass(frozen=True)
class Belief:
    """What is known about one infant in the whitened space.

    mean: float64 [size], the infant's mean shrunk to the ward's.
    uncertainty: float64 [size], the variance of that mean.
    spread: the infant's within variance, 1.0 being the ward's.
    """

    mean: Vector
    uncertainty: Vector
    spread: float


class Population:
    """The means and covariances of an infant population.

    mean float [size]; transform float [size, size], applied as `transform @ (embedding - mean)`;
    between float [size], the variance of infants' means after the transform, largest first.
    """

    def __init__(
        self,
        mean: NDArray[np.floating],
        transform: NDArray[np.floating],
        between: NDArray[np.floating],
    ) -> None:
        self.size = mean.size
        self.mean = mean.astype(np.float64)
        self.transform = transform.astype(np.float64)
        self.between = between.astype(np.float64)

    def whiten(self, embedding: NDArray[np.floating]) -> Vector:
        """float [size] -> float64 [size], where an infant's cries have unit covariance."""
        return self.transform @ (embedding - self.mean)

    def rescaled(self, variance: float) -> Population:
        """The same population, where what was `variance` within an infant is now 1."""
        return Population(self.mean, self.transform / np.sqrt(variance), self.between / variance)

    def believe(self, mean: Vector, scatter: float, count: float) -> Belief:
        """What `count` cries say about an infant: their whitened mean, their squared scatter.

        `scatter` is the sum of squared distances from `mean`. The mean's shrinkage is the
        posterior of the two-covariance model; the spread's is a scaled inverse chi-square prior.
        """
        spread = (SPREAD_PRIOR_CRIES + scatter / self.size) / (
            SPREAD_PRIOR_CRIES + max(count - 1.0, 0.0)
        )
        weight = self.between * count / (self.between * count + spread)
        uncertainty = self.between * spread / (self.between * count + spread)
        return Belief(mean=weight * mean, uncertainty=uncertainty, spread=spread)

    def nonconformity(self, cry: Vector, belief: Belief) -> float:
        """How far a whitened cry lies from an infant, in predicted standard deviations.

        The root of the mean squared standardized difference: about 1 for a usual cry, whatever
        the number of cries that the belief stands on.
        """
        variance = belief.uncertainty + belief.spread
        return float(np.sqrt(np.mean(np.square(cry - belief.mean) / variance)))

    def evidence(self, cry: Vector, belief: Belief) -> float:
        """Log-likelihood ratio (natural) of a whitened cry: this infant against anyone."""
        own = belief.uncertainty + belief.spread
        anyone = self.between + 1.0
        return float(
            0.5
            * np.sum(
                np.log(anyone / own) + np.square(cry) / anyone - np.square(cry - belief.mean) / own
            )
        )

    @classmethod
    def fit_population(cls, embeddings: NDArray[np.floating], infants: Sequence[str]) -> Population:
        """The population of these cries: embeddings float [n, size], infants n names.

        Raises WardError when a number is not finite or no infant has two cries.
        """
        x = np.asarray(embeddings, dtype=np.float64)
        names = np.asarray(infants)
        if x.ndim != 2 or names.shape != (x.shape[0],):
            raise WardError(f"{x.shape} embeddings do not fit {names.shape} infants")
        if not np.isfinite(x).all():
            raise WardError("an embedding holds a number that is not finite")
        every, index, counts = np.unique(names, return_inverse=True, return_counts=True)
        means = np.zeros((every.size, x.shape[1]))
        np.add.at(means, index, x)
        means /= counts[:, None]
        several = counts[index] > 1
        if not several.any():
            raise WardError("no infant has two cries: how one infant's cries vary is unknown")
        # Bessel's correction, so that infants with two cries do not shrink the covariance.
        bessel = np.sqrt(counts / np.maximum(counts - 1, 1))[index]
        residuals = ((x - means[index]) * bessel[:, None])[several]
        values, vectors = np.linalg.eigh(shrunk_covariance(residuals))
        whitening = (vectors / np.sqrt(values)) @ vectors.T
        # Each infant counts once: a talkative one must not draw the ward's mean to itself.
        mean = means.mean(axis=0)
        spots = (means - mean) @ whitening.T
        # A mean of n cries scatters by 1/n on top of what lies between infants.
        values, vectors = np.linalg.eigh(
            shrunk_covariance(spots) * spots.shape[0] / max(spots.shape[0] - 1, 1)
        )
        order = np.argsort(values)[::-1]
        between = np.maximum(values[order] - np.mean(1.0 / counts), 0.0)
        return Population(mean, vectors[:, order].T @ whitening, between)


def shrunk_covariance(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance of centred rows [n, size], drawn to a multiple of the identity.

    The optimal linear shrinkage of Ledoit & Wolf (2004), "A well-conditioned estimator for
    large-dimensional covariance matrices", equations 14 and lemma 3.2 to 3.4. The result is
    positive definite for any n with a non-zero row.
    """
    n, size = centred.shape
    sample = centred.T @ centred / n
    scale = np.trace(sample) / size
    if scale <= 0:
        raise WardError("these cries do not vary: nothing can be learnt from them")
    dispersion = np.sum(np.square(sample - scale * np.eye(size)))
    error = (np.sum(np.square(np.sum(np.square(centred), axis=1))) / n - np.sum(sample**2)) / n
    intensity = 1.0 if dispersion <= 0 else float(np.clip(error / dispersion, 1e-4, 1.0))
    return (1.0 - intensity) * sample + intensity * scale * np.eye(size)
