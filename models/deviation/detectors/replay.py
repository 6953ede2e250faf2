"""Detectors that keep an infant's last cries and are fitted to them."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.deviation.detectors.base import Features, PersonalDetector, as_embedding
from models.deviation.population import Population

# As many as the default detector remembers; 192 numbers each, 74 kB: within a baseline's 100.
REPLAYED_CRIES = 96


class ReplayDetector(PersonalDetector):
    """Keeps the last cries, float32 [n, size], oldest first, and is fitted to them anew.

    Parameters
    ----------
    population
        What all infants share. Only its size is used where `whitened` is false.
    memory_cries
        How many cries are kept.
    whitened
        Whether cries are seen after the ward's whitening, or as the embedder gave them.
    """

    def __init__(
        self,
        population: Population,
        memory_cries: int = REPLAYED_CRIES,
        whitened: bool = False,
    ) -> None:
        self.population = population
        self.memory_cries = memory_cries
        self.whitened = whitened
        self._cries = np.zeros((0, population.size), dtype=np.float32)

    @abc.abstractmethod
    def _fit(self, cries: NDArray[np.float64]) -> None:
        """Replace what was fitted by a fit to cries [n >= 1, size]."""

    @abc.abstractmethod
    def _score(self, cry: NDArray[np.float64]) -> float:
        """How strange a cry [size] is under the last fit."""

    def score_one(self, x: Features) -> float:
        cry = self._see(x)
        # Of an infant who was never heard nothing is strange.
        return self._score(cry.astype(np.float64)) if len(self._cries) else 0.0

    def learn_one(self, x: Features) -> None:
        self._cries = np.vstack([self._cries, self._see(x)])[-self.memory_cries :]
        self._fit(self._cries.astype(np.float64))

    def _see(self, x: Features) -> NDArray[np.float32]:
        """A cry in the space of this detector, rounded as it is stored."""
        cry = as_embedding(x, self.population.size)
        return (self.population.whiten(cry) if self.whitened else cry).astype(np.float32)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"cries": self._cries}

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._cries = self._restored(arrays)
        if len(self._cries):
            self._fit(self._cries.astype(np.float64))

    def _restored(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        cries = np.array(arrays["cries"], dtype=np.float32)
        if cries.ndim != 2 or cries.shape[1] != self.population.size:
            raise ValueError(f"cries of shape {cries.shape} are not of this population")
        return cries
