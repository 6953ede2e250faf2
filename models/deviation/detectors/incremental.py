"""river's own detectors, put away as the cries that they learnt from.

Their trees and neighbour lists cannot be put away as arrays; the cries can, and are replayed.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.base import AnomalyDetector

from models.deviation.detectors.base import Features
from models.deviation.detectors.replay import REPLAYED_CRIES, ReplayDetector
from models.deviation.population import Population


class RiverDetector(ReplayDetector):
    """Feeds cries to a model of river, which is rebuilt when more than `memory_cries` are kept.

    It is then rebuilt from the younger half, in memory just as after a restart, so that the same
    cries give the same scores either way.
    """

    def __init__(
        self,
        population: Population,
        memory_cries: int = REPLAYED_CRIES,
        whitened: bool = False,
    ) -> None:
        super().__init__(population, memory_cries, whitened)
        self._model = self._new()

    @abc.abstractmethod
    def _new(self) -> AnomalyDetector:
        """The model of river before it has learnt anything."""

    def learn_one(self, x: Features) -> None:
        cry = self._see(x)
        self._cries = np.vstack([self._cries, cry])
        if len(self._cries) > self.memory_cries:
            self._cries = self._cries[-(self.memory_cries // 2) :]
            self._fit(self._cries.astype(np.float64))
        else:
            self._model.learn_one(_features(cry))

    def _fit(self, cries: NDArray[np.float64]) -> None:
        self._model = self._new()
        for cry in cries:
            self._model.learn_one(_features(cry))

    def _score(self, cry: NDArray[np.float64]) -> float:
        return float(self._model.score_one(_features(cry)))

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._cries = self._restored(arrays)
        self._fit(self._cries.astype(np.float64))


def _features(cry: NDArray[np.floating]) -> dict[int, float]:
    """river's form of a cry."""
    return dict(enumerate(cry.tolist()))
