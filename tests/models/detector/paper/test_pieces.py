"""Recordings become 5 s audios and untrimmed audios with the labels that each may know."""

from pathlib import Path

import numpy as np

from models.corpora.manifest import Recording
from models.detector.paper.pieces import cut, five_seconds, untrimmed

RECORDINGS = np.array([4] * 7 + [6] * 2 + [9] * 5, np.int32)


def recording(is_cry: bool) -> Recording:
    return Recording(
        path=Path("x"), is_cry=is_cry, kind="k", source="s", group="g", split="train", infant="",
        recorded_at="", platform="", textgrid=None,
    )  # fmt: skip


def test_a_stretch_never_reaches_into_another_recording():
    assert [rows.tolist() for rows in cut(RECORDINGS)] == [
        [0, 1, 2, 3, 4, 5, 6], [7, 8], [9, 10, 11, 12, 13]
    ]  # fmt: skip
    assert [len(rows) for rows in cut(RECORDINGS, 5)] == [5, 2, 2, 5]
    assert cut(np.zeros(0, np.int32)) == []


def test_a_piece_of_five_seconds_is_a_cry_if_one_of_its_seconds_is():
    labels = np.array([0, 0, -1, 0, 1, 0, 0, 0, -1, -1, -1, -1, -1, -1], np.int8)
    pieces = five_seconds(labels, RECORDINGS)
    # The third holds no known cry but unknown seconds, the last is unknown: neither can be used.
    assert [(piece.rows.tolist(), piece.is_cry) for piece in pieces] == [
        ([0, 1, 2, 3, 4], True), ([5, 6], False)
    ]  # fmt: skip


def test_an_untrimmed_recording_has_its_weak_label_whatever_its_seconds_say():
    manifest = [recording(False)] * 4 + [recording(True)] * 3 + [recording(False)] * 3
    pieces = untrimmed(manifest, RECORDINGS)
    assert [(len(piece.rows), piece.is_cry) for piece in pieces] == [
        (7, True), (2, True), (5, False)
    ]  # fmt: skip
