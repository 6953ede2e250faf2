"""The rows of the paper's tables, each as what it depends on and how it is measured."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.detector.networks.cost import cost_of
from models.detector.paper.corpus import Corpus
from models.detector.paper.figures import second_figures
from models.detector.paper.laboratory import Laboratory, milliseconds_a_second
from models.detector.paper.standalone import scores_of


@dataclass(frozen=True)
class Experiment:
    """A row that can be measured.

    Attributes:
        settings: what its figures depend on.
        measure: trains what is missing and returns the figures.
    """

    settings: dict[str, object]
    measure: Callable[[], dict[str, object]]


def _on_both(lab: Laboratory, score: Callable[[Corpus], NDArray[np.float32]]) -> dict[str, object]:
    return {
        split: asdict(second_figures(score(corpus), corpus.labels))
        for split, corpus in (("val", lab.val), ("test", lab.test))
    }


def backbones(lab: Laboratory, row: str) -> Experiment:
    """A backbone as standalone classifier: accuracy, size and speed."""

    def measure() -> dict[str, object]:
        model = lab.classifier("all", row)
        cost = cost_of(model.backbone, torch.zeros(1, 1, 64, 64))
        figures = _on_both(lab, lambda corpus: scores_of(model, corpus.log_mels))
        return figures | asdict(cost) | {"milliseconds": milliseconds_a_second(model)}

    return Experiment({"epochs": lab.epochs, "seed": lab.seed}, measure)


TABLES: dict[str, tuple[Callable[[Laboratory, str], Experiment], tuple[str, ...]]] = {
    "backbones": (
        backbones,
        ("shufflenet-0.5", "shufflenet-1.0", "squeezenet", "mobilenet", "resnet"),
    ),
}
