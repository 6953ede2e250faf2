"""A simulated ward, fitted once for all tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

# Tests are imported by path (importlib mode), so their helpers have to be put on the path.
sys.path.insert(0, str(Path(__file__).parent))

from simulated import Nursery

from models.deviation.ward import WardModel


@pytest.fixture(scope="session")
def nursery() -> Nursery:
    return Nursery(seed=1)


@pytest.fixture(scope="session")
def ward(nursery: Nursery) -> WardModel:
    embeddings, infants = nursery.recordings(260, np.random.default_rng(0))
    return WardModel.fit(embeddings, infants)
