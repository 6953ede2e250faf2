"""ICLAS's autoencoder 192-128-64-32-64-128-192, trained on from cry to cry with replay.

Written out in numpy: six dense layers with ReLU are a page, the network is too small for torch
to be faster at, and so the detector costs the stream no dependency.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.deviation.detectors.replay import REPLAYED_CRIES, ReplayDetector
from models.deviation.population import Population

# ICLAS's hidden layers, between an input and an output of the embedding's size.
HIDDEN = (128, 64, 32, 64, 128)
# ICLAS gives no training schedule. Adam's usual rate, and so many steps over all kept cries for
# each new one: with 20 to 200 strangers rank alike, within the error of what can be measured.
LEARNING_RATE = 1e-3
STEPS_A_CRY = 60
# Adam (Kingma & Ba, 2015), algorithm 1, with the values given there.
BETA_MEAN, BETA_SQUARE, EPSILON = 0.9, 0.999, 1e-8
SEED = 0


class Autoencoder(ReplayDetector):
    """Mean squared reconstruction error of a network trained on the kept cries.

    A new cry joins the kept ones and the network takes some steps over all of them, from where
    it was: replay keeps it from forgetting. 70,240 weights, 281 kB beside the cries: more than a
    baseline may take.

    References
    ----------
    ICLAS's slides, "Stage 2: Personalized Anomaly Detection" and "Stage 3".
    """

    def __init__(
        self,
        population: Population,
        memory_cries: int = REPLAYED_CRIES,
        whitened: bool = False,
        steps: int = STEPS_A_CRY,
    ) -> None:
        super().__init__(population, memory_cries, whitened)
        self.steps = steps
        sizes = (population.size, *HIDDEN, population.size)
        self._shapes = list(pairwise(sizes))
        rng = np.random.default_rng(SEED)
        # He et al., 2015, equation 10: ReLUs keep the scale of what passes through them.
        self._weights = np.concatenate(
            [
                np.append(rng.normal(0.0, np.sqrt(2.0 / a), a * b), np.zeros(b))
                for a, b in self._shapes
            ]
        ).astype(np.float32)

    def _layers(self, flat: NDArray[np.float32]) -> list[tuple[NDArray, NDArray]]:
        """Views of a flat vector: weights [in, out] and biases [out] of each layer."""
        layers, start = [], 0
        for a, b in self._shapes:
            middle, end = start + a * b, start + a * b + b
            layers.append((flat[start:middle].reshape(a, b), flat[middle:end]))
            start = end
        return layers

    def _forward(self, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Every layer's output for x [n, size], the input first, the reconstruction last."""
        outputs = [x]
        layers = self._layers(self._weights)
        for number, (weights, biases) in enumerate(layers):
            out = outputs[-1] @ weights + biases
            outputs.append(np.maximum(out, 0.0) if number < len(layers) - 1 else out)
        return outputs

    def _gradient(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of the mean squared error over x [n, size], by every weight [weights]."""
        outputs = self._forward(x)
        gradient = np.empty_like(self._weights)
        back = 2.0 * (outputs[-1] - x) / x.size
        parts = zip(self._layers(self._weights), self._layers(gradient), strict=True)
        for number, ((weights, _), (by_weights, by_biases)) in reversed(list(enumerate(parts))):
            by_weights[:] = outputs[number].T @ back
            by_biases[:] = back.sum(axis=0)
            if number:
                back = (back @ weights.T) * (outputs[number] > 0)
        return gradient

    def _fit(self, cries: NDArray[np.float64]) -> None:
        x = cries.astype(np.float32)
        self._weights = self._weights.copy()
        # Moments begin anew with each cry: kept, they would treble what has to be stored.
        mean, square = np.zeros_like(self._weights), np.zeros_like(self._weights)
        for step in range(1, self.steps + 1):
            gradient = self._gradient(x)
            mean += (1 - BETA_MEAN) * (gradient - mean)
            square += (1 - BETA_SQUARE) * (gradient * gradient - square)
            rate = LEARNING_RATE * np.sqrt(1 - BETA_SQUARE**step) / (1 - BETA_MEAN**step)
            self._weights -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(EPSILON))

    def _score(self, cry: NDArray[np.float64]) -> float:
        x = cry.astype(np.float32)[None]
        return float(np.mean(np.square(self._forward(x)[-1] - x)))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return super().to_arrays() | {"weights": self._weights}

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        weights = np.array(arrays["weights"], dtype=np.float32)
        if weights.shape != self._weights.shape:
            raise ValueError(f"weights of shape {weights.shape} are not of this autoencoder")
        self._cries, self._weights = self._restored(arrays), weights
