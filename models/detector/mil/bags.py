"""Bags of instances: the features of any number of seconds as T instances."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# What the paper uses: 5 for recordings of 5 s, 10 for untrimmed ones, 16 in its figure 1.
SIZES = (5, 10, 16)


def bag_of(features: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Features of consecutive seconds as a bag of `size` instances, in order of time.

    Tan, Yao and Liu (2023), section 3.2: a long recording is divided into equal segments and each
    instance is the mean of its segment; a short one is interpolated linearly between its seconds.

    Args:
        features: float32 [seconds, features], at least one second.
        size: T, the number of instances.

    Returns:
        float32 [T, features].

    Raises:
        ValueError: there is no second.
    """
    if not len(features):
        raise ValueError("a bag needs at least one second")
    return weights_of(len(features), size) @ features


@cache
def weights_of(seconds: int, size: int) -> NDArray[np.float32]:
    """How much each second gives to each instance: float32 [size, seconds], rows sum to 1."""
    return _means(seconds, size) if seconds >= size else _interpolation(seconds, size)


def _means(seconds: int, size: int) -> NDArray[np.float32]:
    borders = np.linspace(0, seconds, size + 1)
    starts = np.arange(seconds)
    # A second that lies across a border belongs to both segments, by the share in each.
    shares = np.minimum(borders[1:, None], starts + 1) - np.maximum(borders[:-1, None], starts)
    return (np.maximum(0, shares) * size / seconds).astype(np.float32)


def _interpolation(seconds: int, size: int) -> NDArray[np.float32]:
    # From the first second to the last, so that no instance lies outside of the recording.
    places = np.linspace(0, seconds - 1, size)
    distances = np.abs(places[:, None] - np.arange(seconds))
    return np.maximum(0, 1 - distances).astype(np.float32)
