"""Each row of table 3 learns from its own seconds, with the labels that it may know."""

import numpy as np
import pytest

pytest.importorskip("torch")

from models.detector.paper.corpus import Corpus
from models.detector.paper.pieces import Piece
from models.detector.paper.selections import (
    SELECTIONS,
    all_seconds,
    selected_seconds,
)

LABELS = np.array([1, 0, 0, -1, 1, 0, 0, 0, 0, 0], np.int8)
CORPUS = Corpus([], np.zeros((10, 64, 64), np.float32), np.zeros(0), LABELS, np.zeros(10))
PIECES = [Piece(np.arange(5), True), Piece(np.arange(5, 10), False)]
SCORES = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.1, 0.4, 0.2, 0.6, 0.0], np.float32)


def select(name: str, seed: int = 0) -> tuple[list[int], list[float]]:
    chosen = SELECTIONS[name]
    examples = selected_seconds(CORPUS, PIECES, chosen, SCORES if chosen.mines else None, seed)
    return examples.rows.tolist(), examples.labels.tolist()


def test_all_seconds_are_those_that_are_known():
    examples = all_seconds(CORPUS)
    assert examples.rows.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert examples.labels.tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 0]


def test_mined_seconds_are_the_highest_and_take_the_label_of_their_piece():
    assert select("mined") == ([1, 3, 8, 6], [1, 1, 0, 0])
    assert select("mined-untrimmed") == select("mined")


def test_random_seconds_are_known_ones_with_their_own_labels():
    seen = set()
    for seed in range(40):
        rows, labels = select("random", seed)
        assert labels == [float(LABELS[row]) for row in rows]
        assert {row < 5 for row in rows[:2]} == {True} and {row < 5 for row in rows[2:]} == {False}
        seen |= set(rows)
    assert seen == {0, 1, 2, 4, 5, 6, 7, 8, 9}


def test_one_side_alone_can_be_mined():
    rows, labels = select("mined-positive")
    assert (rows[:2], labels) == ([1, 3], [1, 1, 0, 0])
    drawn = {tuple(select("mined-positive", seed)[0][2:]) for seed in range(9)}
    assert len(drawn) > 1
    assert select("mined-negative")[0][2:] == [8, 6]
    assert {tuple(select("mined-negative", seed)[0][:2]) for seed in range(9)} != {(1, 3)}


def test_mining_needs_scores():
    with pytest.raises(ValueError, match="mining needs the scores"):
        selected_seconds(CORPUS, PIECES, SELECTIONS["mined-negative"], None, 0)
