"""Every detector by name: for the contract test and the comparison, never for the stream.

Importing this imports scikit-learn; the stream imports the default detector alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from models.deviation.detectors.autoencoder import Autoencoder
from models.deviation.detectors.base import PersonalDetector
from models.deviation.detectors.gaussian import GaussianDetector
from models.deviation.detectors.half_space_trees import HalfSpaceTrees
from models.deviation.detectors.linear_svm import LinearSvm
from models.deviation.detectors.local_outlier_factor import LocalOutlierFactor
from models.deviation.detectors.mixture import Mixture
from models.deviation.detectors.neighbours import NearestNeighbours
from models.deviation.detectors.one_class_svm import OneClassSvm
from models.deviation.detectors.shrunk_gaussian import ShrunkGaussian

# Takes a population, and where the detector replays, `memory_cries` and `whitened`.
Maker = Callable[..., PersonalDetector]

DEFAULT = "gaussian"
# What ICLAS compared.
ICLAS = "autoencoder"

# On the embedder's space as it is, but for the default.
DETECTORS: dict[str, Maker] = {
    DEFAULT: GaussianDetector,
    ICLAS: Autoencoder,
    "one-class-svm-0.05": partial(OneClassSvm, nu=0.05),
    "one-class-svm-0.1": partial(OneClassSvm, nu=0.1),
    "mixture": Mixture,
    "neighbours": NearestNeighbours,
    "shrunk-gaussian": ShrunkGaussian,
    "half-space-trees": HalfSpaceTrees,
    "local-outlier-factor": LocalOutlierFactor,
    "linear-svm": LinearSvm,
}
