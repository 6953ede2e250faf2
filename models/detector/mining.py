"""Data mining: from labels of whole recordings to labelled seconds for a backbone.

Tan, Yao and Liu (2023), section 3.3: a network over bags is trained on VGGish features; then it
scores every second, and the t highest of each recording become examples with the recording's
label. In a cry recording these are the surest cries, in others what is most like one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TOP = 2  # t, in the paper's experiments


def top_seconds(
    scores: NDArray[np.float32], stretches: Sequence[NDArray[np.int64]], top: int = TOP
) -> list[NDArray[np.int64]]:
    """The rows with the highest scores of each stretch, highest first.

    Args:
        scores: float32 [seconds].
        stretches: rows of `scores`, int64 [seconds of the stretch] each.
        top: t; a shorter stretch gives all it has.
    """
    return [rows[np.argsort(-scores[rows], kind="stable")[:top]] for rows in stretches]


def random_seconds(
    stretches: Sequence[NDArray[np.int64]], rng: np.random.Generator, count: int = TOP
) -> list[NDArray[np.int64]]:
    """As many random rows of each stretch: what mining is compared with."""
    return [rng.permutation(rows)[:count] for rows in stretches]
