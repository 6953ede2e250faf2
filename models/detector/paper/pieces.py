"""What the paper calls 5 s audios and untrimmed audios, as stretches of a split's seconds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.corpora.labels import CRY, OTHER
from models.corpora.manifest import Recording

PIECE_SECONDS = 5


@dataclass(frozen=True)
class Piece:
    """A stretch of seconds with one label: what a bag is made of.

    Attributes:
        rows: the seconds, in order: int64 [seconds].
        is_cry: a cry is heard somewhere in it.
    """

    rows: NDArray[np.int64]
    is_cry: bool


def cut(recordings: NDArray[np.int32], longest: int | None = None) -> list[NDArray[np.int64]]:
    """The rows of each recording, cut into stretches of at most `longest` seconds.

    Args:
        recordings: int32 [seconds], in order: which recording a second is of.
        longest: in seconds; what is left over is a shorter stretch. None: nothing is cut.
    """
    borders = np.flatnonzero(np.diff(recordings)) + 1
    whole = np.split(np.arange(len(recordings)), borders) if len(recordings) else []
    if longest is None:
        return whole
    return [rows[i : i + longest] for rows in whole for i in range(0, len(rows), longest)]


def five_seconds(labels: NDArray[np.int8], recordings: NDArray[np.int32]) -> list[Piece]:
    """The 5 s audios: pieces whose label somebody's marks of single seconds give.

    A piece is a cry if one of its seconds is, and not one if all are known not to be; a piece
    without a known cry but with unknown seconds belongs to neither and is left out.
    """
    pieces = [(rows, labels[rows]) for rows in cut(recordings, PIECE_SECONDS)]
    return [
        Piece(rows, bool((known == CRY).any()))
        for rows, known in pieces
        if (known == CRY).any() or (known == OTHER).all()
    ]


def untrimmed(manifest: list[Recording], recordings: NDArray[np.int32]) -> list[Piece]:
    """The untrimmed audios: whole recordings with the weak label that the manifest gives them."""
    return [Piece(rows, manifest[recordings[rows[0]]].is_cry) for rows in cut(recordings)]
