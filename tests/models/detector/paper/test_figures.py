"""The figures of a split are those of its known seconds."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from models.detector.paper.figures import second_figures


def test_figures_worked_out_by_hand():
    scores = np.array([0.9, 0.4, 0.6, 0.1, 0.99], np.float32)
    figures = second_figures(scores, np.array([1, 1, 0, 0, -1], np.int8))
    assert (figures.seconds, figures.cries) == (4, 2)
    assert figures.accuracy == 0.5
    assert figures.auc == 0.75
    # At 0.4 both cries and one other are called cries: precision 2/3, recall 1.
    assert figures.best_f1 == pytest.approx(0.8)
    assert figures.best_threshold == pytest.approx(0.4)
    assert figures.accuracy_there == 0.75
