"""Where cries lie and how they scatter: what a handful of one infant's cries cannot tell.

A two-covariance model (Brümmer & de Villiers, "The speaker partitioning problem", 2010,
section 2): infants' means vary with `between` around `mean`, and cries vary with unit covariance
around their infant's mean, once `transform` has whitened them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# How many cries the ward's spread counts for beside an infant's own: with fewer of its own, an
# infant's spread says more about which cries came first than about the infant. With half as many,
# the unluckiest of forty infants has false alarms half as often again (docs/deviation/log.md).
SPREAD_PRIOR_CRIES = 12.0

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

    mean float [size], of embeddings; middle float [size], of their directions from there;
    transform float [size, size], which whitens directions; between float [size], the variance of
    infants' means after the transform, largest first.
    """

    def __init__(
        self,
        mean: NDArray[np.floating],
        middle: NDArray[np.floating],
        transform: NDArray[np.floating],
        between: NDArray[np.floating],
    ) -> None:
        self.size = mean.size
        self.mean = mean.astype(np.float64)
        self.middle = middle.astype(np.float64)
        self.transform = transform.astype(np.float64)
        self.between = between.astype(np.float64)
        weights = self.between / (self.between + 1.0)
        # Where infants do not differ at all, no direction is better than another.
        self.weights = weights / weights.max() if weights.max() > 0 else np.ones(self.size)

    def whiten(self, embedding: NDArray[np.floating]) -> Vector:
        """float [size] -> float64 [size], where an infant's cries have unit covariance.

        Only the direction from the ward's mean is used: how far out a cry lies tells loud and
        clear from faint and hoarse better than one infant from another (length normalization:
        Garcia-Romero & Espy-Wilson, 2011).
        """
        return self.transform @ (_directions(embedding[None], self.mean)[0] - self.middle)

    def mean_product(self, a: Vector, b: Vector) -> float:
        """Mean over directions of the product of two whitened vectors; with itself, mean square.

        Directions weigh by how much of their variance lies between infants: what an infant's own
        voice is made of.
        """
        return float(np.dot(self.weights * a, b) / self.weights.sum())

    def scatter(self, cries: NDArray[np.float64]) -> float:
        """The scatter of whitened cries [n, size] about their mean, as `believe` takes it."""
        steps = cries - cries.mean(axis=0)
        return float(sum(self.mean_product(step, step) for step in steps))

    def rescaled(self, variance: float) -> Population:
        """The same population, where what was `variance` within an infant is now 1."""
        return Population(
            self.mean, self.middle, self.transform / np.sqrt(variance), self.between / variance
        )

    def believe(self, mean: Vector, scatter: float, count: float) -> Belief:
        """What `count` cries say about an infant: their whitened mean and their scatter.

        `scatter` is the sum over the cries of their mean square from `mean` (see there). The
        mean's shrinkage is the posterior of the two-covariance model; the spread's is a scaled
        inverse chi-square prior.
        """
        spread = (SPREAD_PRIOR_CRIES + scatter) / (SPREAD_PRIOR_CRIES + max(count - 1.0, 0.0))
        weight = self.between * count / (self.between * count + spread)
        uncertainty = self.between * spread / (self.between * count + spread)
        return Belief(mean=weight * mean, uncertainty=uncertainty, spread=spread)

    def nonconformity(self, cry: Vector, belief: Belief) -> float:
        """How far a whitened cry lies from an infant, in predicted standard deviations.

        The root mean square of the standardized differences: about 1 for a usual cry, whatever
        the number of cries that the belief stands on.
        """
        step = cry - belief.mean
        return math.sqrt(self.mean_product(step, step / (belief.uncertainty + belief.spread)))

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
    def fit_population(
        cls, embeddings: NDArray[np.floating], infants: Sequence[str], evenness: float = 0.0
    ) -> Population:
        """The population of these cries: embeddings float [n, size], infants n names.

        evenness: see `within_and_between`.

        Raises WardError when a number is not finite or no infant has two cries.
        """
        x = np.asarray(embeddings, dtype=np.float64)
        names = np.asarray(infants)
        if x.ndim != 2 or names.shape != (x.shape[0],):
            raise WardError(f"{x.shape} embeddings do not fit {names.shape} infants")
        if not np.isfinite(x).all():
            raise WardError("an embedding holds a number that is not finite")
        mean = _means(x, names)[0].mean(axis=0)
        return Population(mean, *within_and_between(_directions(x, mean), names, evenness))


def within_and_between(
    x: NDArray[np.float64], names: NDArray[np.str_], evenness: float = 0.0
) -> tuple[Vector, NDArray[np.float64], Vector]:
    """(middle, transform, between), as in Population, of rows [n, size] of named infants.

    evenness: 0 to 1, how far one infant's cries are taken to vary alike in all directions, beyond
    the shrinkage that the number of rows asks for.

    Raises WardError when no infant has two rows.
    """
    means, index, counts = _means(x, names)
    several = counts[index] > 1
    if not several.any():
        raise WardError("no infant has two cries: how one infant's cries vary is unknown")
    # Bessel's correction, so that infants with two cries do not shrink the covariance.
    bessel = np.sqrt(counts / np.maximum(counts - 1, 1))[index]
    residuals = ((x - means[index]) * bessel[:, None])[several]
    values, vectors = np.linalg.eigh(shrunk_covariance(residuals))
    values = (1.0 - evenness) * values + evenness * values.mean()
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    # Each infant counts once: a talkative one must not draw the ward's mean to itself.
    middle = means.mean(axis=0)
    spots = (means - middle) @ whitening.T
    bessel = len(spots) / max(len(spots) - 1, 1)
    values, vectors = np.linalg.eigh(shrunk_covariance(spots) * bessel)
    order = np.argsort(values)[::-1]
    # A mean of n cries scatters by 1/n on top of what lies between infants.
    between = np.maximum(values[order] - np.mean(1.0 / counts), 0.0)
    return middle, vectors[:, order].T @ whitening, between


def _means(
    x: NDArray[np.float64], names: NDArray[np.str_]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Infants' means [infants, size], each row's infant [n], rows of each infant [infants]."""
    every, index, counts = np.unique(names, return_inverse=True, return_counts=True)
    means = np.zeros((every.size, x.shape[1]))
    np.add.at(means, index, x)
    return means / counts[:, None], index, counts


def _directions(x: NDArray[np.floating], mean: Vector) -> NDArray[np.float64]:
    """Rows [n, size] as unit vectors from `mean`; a row that is the mean has no direction, 0."""
    steps = x - mean
    lengths = np.linalg.norm(steps, axis=1, keepdims=True)
    return steps / np.maximum(lengths, np.finfo(np.float64).tiny)


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
