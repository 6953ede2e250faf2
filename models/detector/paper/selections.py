"""Which seconds a standalone classifier learns from: the rows of the paper's table 3."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.corpora.labels import CRY, UNKNOWN
from models.detector.mining import random_seconds, top_seconds
from models.detector.paper.corpus import Corpus
from models.detector.paper.pieces import Piece
from models.detector.paper.standalone import Examples


@dataclass(frozen=True)
class Selection:
    """How seconds are picked from the pieces of a data set.

    Attributes:
        dataset: `5s` or `untrimmed`.
        mined_cries: cry pieces give the two seconds with the highest scores; else two at random.
        mined_others: the same of what is not a cry.
    """

    dataset: str
    mined_cries: bool
    mined_others: bool

    @property
    def mines(self) -> bool:
        """Whether scores are needed at all."""
        return self.mined_cries or self.mined_others


ALL = "all"
SELECTIONS = {
    "random": Selection("5s", mined_cries=False, mined_others=False),
    "mined": Selection("5s", mined_cries=True, mined_others=True),
    "mined-positive": Selection("5s", mined_cries=True, mined_others=False),
    "mined-negative": Selection("5s", mined_cries=False, mined_others=True),
    "mined-untrimmed": Selection("untrimmed", mined_cries=True, mined_others=True),
}


def all_seconds(corpus: Corpus) -> Examples:
    """Every second whose label somebody's marks give."""
    rows = np.flatnonzero(corpus.labels != UNKNOWN)
    return Examples(corpus.log_mels, rows, corpus.labels[rows].astype(np.float32))


def selected_seconds(
    corpus: Corpus,
    pieces: list[Piece],
    selection: Selection,
    scores: NDArray[np.float32] | None,
    seed: int,
) -> Examples:
    """The seconds of one selection.

    A mined second takes the label of its piece, which is all that mining knows; a random one has
    been listened to, so it takes its own, and unknown ones are not drawn.

    Args:
        corpus: of split `train`.
        pieces: of the selection's data set.
        selection: what to pick.
        scores: of all seconds, float32 [seconds]; needed if anything is mined.
        seed: of the random picks.

    Raises:
        ValueError: scores are needed and missing.
    """
    if scores is None and selection.mines:
        raise ValueError("mining needs the scores of a network over bags")
    rng = np.random.default_rng(seed)
    rows: list[NDArray[np.int64]] = []
    labels: list[NDArray[np.float32]] = []
    for piece in pieces:
        if selection.mined_cries if piece.is_cry else selection.mined_others:
            (picked,) = top_seconds(scores, [piece.rows])
            labels.append(np.full(len(picked), piece.is_cry, np.float32))
        else:
            known = piece.rows[corpus.labels[piece.rows] != UNKNOWN]
            (picked,) = random_seconds([known], rng)
            labels.append((corpus.labels[picked] == CRY).astype(np.float32))
        rows.append(picked)
    return Examples(corpus.log_mels, np.concatenate(rows), np.concatenate(labels))
