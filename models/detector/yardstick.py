"""YAMNet's cry scores of the same seconds, to compare with; needs `ai-edge-litert` and its file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models import sound
from models.corpora.manifest import Recording
from models.detector.data import Seconds
from models.detector.tagger import RATE_HZ, Tagger

# "Crying, sobbing" and "Baby cry, infant cry" of its 521 classes.
CRY_CLASSES = (19, 20)


def yamnet_scores(path: Path, seconds: Seconds, manifest: list[Recording]) -> NDArray[np.float32]:
    """The larger of its two cry scores of every second, from the sound at 16 kHz: [seconds].

    Raises FileNotFoundError.
    """
    tagger = Tagger(path)
    scores = np.empty(len(seconds.labels), np.float32)
    for recording in tqdm(np.unique(seconds.recordings), "YAMNet", leave=False):
        waveform, _ = sound.read(manifest[recording].path, RATE_HZ)
        rows = np.flatnonzero(seconds.recordings == recording)
        whole = np.pad(waveform, (0, max(0, len(rows) * RATE_HZ - waveform.size)))
        pieces = whole[: len(rows) * RATE_HZ].reshape(len(rows), RATE_HZ)
        scores[rows] = tagger.scores(pieces)[:, CRY_CLASSES].max(axis=1)
    return scores
