"""The figures of the paper's tables, second by second."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_auc_score

from models.corpora.labels import CRY, UNKNOWN

THRESHOLD = 0.5


@dataclass(frozen=True)
class Figures:
    """Of the seconds of one split whose label is known.

    Attributes:
        seconds: how many there are.
        cries: how many of them are cries.
        accuracy: at 0.5.
        auc: area under the ROC curve.
        best_f1: the highest F1 of any threshold.
        best_threshold: where it is reached.
        accuracy_there: the accuracy at that threshold.
    """

    seconds: int
    cries: int
    accuracy: float
    auc: float
    best_f1: float
    best_threshold: float
    accuracy_there: float


def second_figures(scores: NDArray[np.float32], labels: NDArray[np.int8]) -> Figures:
    """Figures of scores in 0..1: float32 [seconds] and labels [seconds], -1 being left out."""
    known = labels != UNKNOWN
    scores, cries = scores[known], labels[known] == CRY
    precision, recall, thresholds = precision_recall_curve(cries, scores)
    # The last point of the curve has no threshold: nothing is called a cry there.
    f1 = (2 * precision * recall / np.maximum(precision + recall, 1e-9))[:-1]
    best = int(f1.argmax())
    return Figures(
        seconds=int(known.sum()),
        cries=int(cries.sum()),
        accuracy=float(((scores >= THRESHOLD) == cries).mean()),
        auc=float(roc_auc_score(cries, scores)),
        best_f1=float(f1[best]),
        best_threshold=float(thresholds[best]),
        accuracy_there=float(((scores >= thresholds[best]) == cries).mean()),
    )
