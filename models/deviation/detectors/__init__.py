"""Personal anomaly detectors, one a file, all of one shape (`base.py`).

Here stands the one that the stream runs. `every.py` names them all and needs scikit-learn.
"""

from models.deviation.detectors.base import PersonalDetector
from models.deviation.detectors.gaussian import GaussianDetector

__all__ = ["GaussianDetector", "PersonalDetector"]
