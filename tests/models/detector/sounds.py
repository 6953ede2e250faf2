"""Sound to train on, of two recordings: one is a cry, the other a cat."""

from pathlib import Path

import numpy as np

from models.corpora.manifest import Recording
from models.detector.data import Seconds
from models.detector.windows import TrainingSound


def cry_and_cat(pcm: np.ndarray, labels: np.ndarray) -> TrainingSound:
    """Seconds int16 [seconds, 8000] and their labels: those of 1 are the cry, those of 0 the cat.

    Copies after a codec are the same sound.
    """
    manifest = [
        Recording(
            path=Path("x"), is_cry=kind == "cry", kind=kind, source="giulbia", group=kind,
            split="train", infant="", recorded_at="", platform="", textgrid=None,
        )
        for kind in ("cry", "cat")
    ]  # fmt: skip
    return TrainingSound(Seconds(pcm, pcm, labels, (labels == 0).astype(np.int32)), manifest, [])
