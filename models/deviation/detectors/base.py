"""The shape of a personal detector: river's interface, with a way in for arrays."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.base import AnomalyDetector

# What a detector is told of a cry: an embedding float [size], or river's dict {0: ..., 1: ...}.
Features = NDArray[np.floating] | Mapping[int, float]


class PersonalDetector(AnomalyDetector):
    """One infant's anomaly detector over embeddings.

    A detector scores before it learns, leaves itself as it was when a number is not finite, and
    can be put away as arrays and taken out again to score bit for bit alike.
    """

    @abc.abstractmethod
    def score_one(self, x: Features) -> float:
        """How unusual a cry is for this infant; higher is stranger. ValueError: not finite."""

    @abc.abstractmethod
    def learn_one(self, x: Features) -> None:
        """Take a cry into what is usual for this infant. ValueError: not finite."""

    @abc.abstractmethod
    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What was learnt, for `from_arrays` of a detector built with the same parameters."""

    @abc.abstractmethod
    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Replace what was learnt by what `to_arrays` gave."""


def as_embedding(x: Features, size: int) -> NDArray[np.float64]:
    """Features as float64 [size]; ValueError if any is missing, too many, or not finite."""
    if isinstance(x, Mapping):
        if len(x) != size:
            raise ValueError(f"a cry of {len(x)} features, where this model takes {size}")
        try:
            x = np.array([x[feature] for feature in range(size)], dtype=np.float64)
        except KeyError as missing:
            raise ValueError(f"a cry without feature {missing}") from None
    embedding = np.asarray(x, dtype=np.float64)
    if embedding.shape != (size,):
        raise ValueError(f"an embedding of shape {embedding.shape}, where this model takes {size}")
    if not np.isfinite(embedding).all():
        raise ValueError("an embedding holds a number that is not finite")
    return embedding
