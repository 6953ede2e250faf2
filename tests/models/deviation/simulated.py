"""A made-up infant's cries as the baseline hears of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.deviation.baseline import Observation
from models.deviation.bench.nursery import Nursery

__all__ = ["Nursery", "observation"]


def observation(embedding: NDArray[np.floating], number: int = 0, **changes: object) -> Observation:
    """A clean, sure cry with this embedding; `changes` make it less so."""
    return replace(
        Observation(
            segment_id=f"segment-{number}",
            started_at_ms=1_000 * number,
            seconds=3.0,
            embedding=embedding,
            cry_score=0.95,
            level_dbfs=-25.0,
            clipped_fraction=0.0,
        ),
        **changes,
    )
