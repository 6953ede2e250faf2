"""river's one-class support vector machine, linear and learnt by stochastic gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from river.anomaly import OneClassSVM

from models.deviation.detectors.incremental import RiverDetector

NU = 0.1


class LinearSvm(RiverDetector):
    """How far a cry falls short of the plane that holds an infant's cries from the origin.

    river's score is the projection on that plane's normal less its offset: high where a cry lies
    along the infant's own direction. It is therefore negated here. One step of gradient a cry at
    river's rate hardly moves it off the sum of the cries.

    References
    ----------
    Schölkopf et al., "Estimating the support of a high-dimensional distribution", 2001.
    """

    def _new(self) -> OneClassSVM:
        return OneClassSVM(nu=NU)

    def _score(self, cry: NDArray[np.float64]) -> float:
        return -super()._score(cry)
