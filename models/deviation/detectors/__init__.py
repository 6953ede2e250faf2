"""Personal anomaly detectors, one a file, all of one shape (`base.py`)."""

from models.deviation.detectors.base import PersonalDetector
from models.deviation.detectors.gaussian import GaussianDetector

# Every detector that may serve an infant: the contract test runs over these.
DETECTORS: tuple[type[PersonalDetector], ...] = (GaussianDetector,)

__all__ = ["DETECTORS", "GaussianDetector", "PersonalDetector"]
