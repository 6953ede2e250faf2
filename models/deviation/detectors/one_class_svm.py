"""ICLAS's one-class support vector machine. Needs scikit-learn, which the stream does not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import OneClassSVM

from models.deviation.detectors.replay import REPLAYED_CRIES, ReplayDetector
from models.deviation.population import Population


class OneClassSvm(ReplayDetector):
    """Signed distance outside the boundary that an RBF one-class SVM draws round the kept cries.

    Fitted anew at every cry. gamma is scikit-learn's "scale", 1 / (size * variance of all
    numbers), as ICLAS has it; of unit vectors that variance says nothing about the infant.

    Parameters
    ----------
    nu
        Upper bound of the share of kept cries outside the boundary.

    References
    ----------
    Schölkopf et al., "Estimating the support of a high-dimensional distribution", 2001.
    """

    def __init__(
        self,
        population: Population,
        memory_cries: int = REPLAYED_CRIES,
        whitened: bool = False,
        nu: float = 0.1,
    ) -> None:
        super().__init__(population, memory_cries, whitened)
        self.nu = nu

    def _fit(self, cries: NDArray[np.float64]) -> None:
        self._svm = OneClassSVM(kernel="rbf", nu=self.nu, gamma="scale").fit(cries)

    def _score(self, cry: NDArray[np.float64]) -> float:
        return -float(self._svm.decision_function(cry[None])[0])
