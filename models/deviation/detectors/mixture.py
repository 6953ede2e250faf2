"""ICLAS's Gaussian mixture. Needs scikit-learn, which the stream does not."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from models.deviation.detectors.replay import ReplayDetector

FEWEST_COMPONENTS, MOST_COMPONENTS = 2, 5
# Every so many cries one is held out, to choose the number of components by.
HELD_OUT_EVERY = 4
# Added to each variance, as a share of a unit vector's per direction, 1 / size: a component of
# one or two cries would otherwise have none, and any other cry a likelihood of 0.
FLOOR_SHARE = 0.2
# Of whitened cries a direction's variance is 1.
WHITENED_FLOOR = 0.2


class Mixture(ReplayDetector):
    """Negative log-likelihood of a cry under 2 to 5 Gaussians with diagonal covariances.

    The number of Gaussians is that of the lowest BIC on held-out cries, as ICLAS has it; full
    covariances in 192 dimensions would need hundreds of cries an infant. Of 192 dimensions BIC
    nearly always takes the fewest components.

    References
    ----------
    Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977.
    Schwarz, "Estimating the dimension of a model", 1978.
    """

    def _fit(self, cries: NDArray[np.float64]) -> None:
        held_out = np.arange(len(cries)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        fitted, checked = cries[~held_out], cries[held_out]
        best = min(FEWEST_COMPONENTS, len(cries))
        if len(checked):
            counts = range(best, min(MOST_COMPONENTS, len(fitted)) + 1)
            best = min(counts, key=lambda count: self._mixture(fitted, count).bic(checked))
        self._fitted = self._mixture(cries, best)

    def _mixture(self, cries: NDArray[np.float64], components: int) -> GaussianMixture:
        floor = WHITENED_FLOOR if self.whitened else FLOOR_SHARE / self.population.size
        mixture = GaussianMixture(
            components, covariance_type="diag", reg_covar=floor, random_state=0
        )
        if len(cries) < 2:
            # scikit-learn refuses a single row; twice the same is the same Gaussian.
            cries = np.repeat(cries, 2, axis=0)
        with warnings.catch_warnings():
            # Equal cries make fewer clusters than asked for: then two components share one.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return mixture.fit(cries)

    def _score(self, cry: NDArray[np.float64]) -> float:
        return -float(self._fitted.score_samples(cry[None])[0])
