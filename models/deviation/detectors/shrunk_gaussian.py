"""A Gaussian of one infant alone: its own mean and its own covariance, shrunk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.deviation.detectors.replay import ReplayDetector
from models.deviation.population import shrunk_covariance

# Variance along a direction in which the infant's own cries do not vary at all, as it is for a
# single cry: an embedding of unit length has this much in each of `size` directions.
UNIT_VARIANCE = 1.0


class ShrunkGaussian(ReplayDetector):
    """Mahalanobis distance under the infant's own mean and Ledoit-Wolf covariance.

    Borrows nothing from other infants: with n cries it knows how they vary along n - 1 of 192
    directions and takes the rest to be alike.

    References
    ----------
    Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
    """

    def _fit(self, cries: NDArray[np.float64]) -> None:
        self._mean = cries.mean(axis=0)
        centred = cries - self._mean
        size = cries.shape[1]
        if len(cries) < 2 or not centred.any():
            self._whitening = np.eye(size) * np.sqrt(size / UNIT_VARIANCE)
            return
        # Bessel's correction: the mean was taken from the same cries.
        covariance = shrunk_covariance(centred) * len(cries) / (len(cries) - 1)
        values, vectors = np.linalg.eigh(covariance)
        self._whitening = vectors / np.sqrt(values)

    def _score(self, cry: NDArray[np.float64]) -> float:
        return float(np.linalg.norm((cry - self._mean) @ self._whitening) / np.sqrt(cry.size))
