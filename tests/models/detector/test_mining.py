"""Mining takes the seconds that score highest in their own recording."""

import numpy as np

from models.detector.mining import random_seconds, top_seconds

SCORES = np.array([0.1, 0.9, 0.5, 0.4, 0.2, 0.3], np.float32)
STRETCHES = [np.arange(3), np.arange(3, 5), np.array([5])]


def test_the_top_seconds_are_of_each_stretch():
    assert [rows.tolist() for rows in top_seconds(SCORES, STRETCHES)] == [[1, 2], [3, 4], [5]]
    assert [rows.tolist() for rows in top_seconds(SCORES, STRETCHES, top=1)] == [[1], [3], [5]]


def test_random_seconds_are_different_ones_of_each_stretch():
    rng = np.random.default_rng(0)
    draws = [random_seconds(STRETCHES, rng) for _ in range(50)]
    assert {tuple(sorted(draw[0])) for draw in draws} == {(0, 1), (0, 2), (1, 2)}
    assert all(sorted(draw[1]) == [3, 4] and draw[2].tolist() == [5] for draw in draws)
