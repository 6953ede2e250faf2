"""The rows of the paper's tables, each as what it depends on and how it is measured."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from models.detector.mil.temporal import REFINEMENTS
from models.detector.networks.cost import cost_of
from models.detector.paper.figures import second_figures
from models.detector.paper.laboratory import DATASETS, LOSSES, VGGISH, Laboratory
from models.detector.paper.selections import ALL, SELECTIONS
from models.detector.paper.standalone import scores_of
from models.features import DETECTOR_RATE_HZ, log_mel

# Enough seconds for one call, few enough to stay in the cache; as the runtime takes them.
TIMED_BATCH = 16
TIMED_CALLS = 100


@dataclass(frozen=True)
class Experiment:
    """A row that can be measured.

    Attributes:
        settings: what its figures depend on.
        measure: trains what is missing and returns the figures.
    """

    settings: dict[str, object]
    measure: Callable[[], dict[str, object]]


def backbone(lab: Laboratory, row: str) -> Experiment:
    """A backbone as standalone classifier: accuracy, size and speed."""

    def measure() -> dict[str, object]:
        model = lab.classifier(ALL, row)
        cost = asdict(cost_of(model.backbone, torch.zeros(1, 1, 64, 64)))
        speed = {"milliseconds": milliseconds_a_second(model)}
        return _of_classifier(lab, ALL, row) | cost | speed

    return Experiment({"epochs": lab.settings.epochs, "seed": lab.settings.seed}, measure)


def vggish(lab: Laboratory, row: str) -> Experiment:
    """A network over bags of VGGish features; the row is the data set."""
    return _anomaly(lab, row, VGGISH)


def selection(lab: Laboratory, row: str) -> Experiment:
    """The standalone classifier of a selection of seconds."""
    s = lab.settings
    settings = {"network": lab.classifier_name(row), "epochs": s.epochs, "seed": s.seed}
    return Experiment(settings, lambda: _of_classifier(lab, row))


# Data set of the bags, and the selection that the backbone was trained on.
ANOMALY_ROWS = {
    "5s-all": ("5s", ALL),
    "untrimmed-all": ("untrimmed", ALL),
    "untrimmed-mined": ("untrimmed", "mined-untrimmed"),
}


def anomaly(lab: Laboratory, row: str) -> Experiment:
    """A network over bags of a standalone classifier's features."""
    return _anomaly(lab, *ANOMALY_ROWS[row])


COMPARED = {
    "5s-standalone": lambda lab: selection(lab, ALL),
    "5s-anomaly": lambda lab: anomaly(lab, "5s-all"),
    "untrimmed-anomaly": lambda lab: anomaly(lab, "untrimmed-all"),
}


def comparison(lab: Laboratory, row: str) -> Experiment:
    """A row of table 3 or 4, for its figures at the best threshold."""
    return COMPARED[row](lab)


# The paper finds that they perform similarly.
NETWORKS = {
    f"{loss}-{refinement}": {"loss": loss, "refinement": refinement}
    for loss in LOSSES
    for refinement in REFINEMENTS
}


def network(lab: Laboratory, row: str) -> Experiment:
    """The first row of table 4 with another loss or refinement."""
    changed = replace(lab.settings, **NETWORKS[row])
    return anomaly(Laboratory(lab.folder, lab.run, changed), "5s-all")


def _anomaly(lab: Laboratory, dataset: str, features: str) -> Experiment:
    s = lab.settings
    settings = {"network": lab.bags_name(dataset, features), "steps": s.steps, "seed": s.seed}
    if features != VGGISH:
        settings["epochs"] = s.epochs
    return Experiment(
        settings, lambda: _on_both(lab, lambda split: lab.scores(dataset, features, split))
    )


def _of_classifier(
    lab: Laboratory, chosen: str, backbone_name: str | None = None
) -> dict[str, object]:
    model = lab.classifier(chosen, backbone_name)
    return _on_both(lab, lambda split: scores_of(model, getattr(lab, split).log_mels))


def _on_both(lab: Laboratory, score: Callable[[str], NDArray[np.float32]]) -> dict[str, object]:
    return {
        split: asdict(second_figures(score(split), getattr(lab, split).labels))
        for split in ("val", "test")
    }


def milliseconds_a_second(network: torch.nn.Module) -> float:
    """How long a second of sound takes at best, log-Mel included: one thread, batches of 16."""
    rng = np.random.default_rng(0)
    waveforms = rng.normal(size=(TIMED_BATCH, DETECTOR_RATE_HZ)).astype(np.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return 1000 * min(_timed(network, waveforms) for _ in range(TIMED_CALLS)) / TIMED_BATCH
    finally:
        torch.set_num_threads(threads)


@torch.inference_mode()
def _timed(network: torch.nn.Module, waveforms: NDArray[np.float32]) -> float:
    began = time.perf_counter()
    network(torch.from_numpy(log_mel(waveforms))[:, None])
    return time.perf_counter() - began


# The rows of each table in the order of the paper, and what measures one.
TABLES: dict[str, tuple[Callable[[Laboratory, str], Experiment], tuple[str, ...]]] = {
    "backbones": (
        backbone,
        ("shufflenet-0.5", "shufflenet-1.0", "mobilenet", "squeezenet", "resnet"),
    ),
    "table2": (vggish, DATASETS),
    "table3": (selection, (ALL, *SELECTIONS)),
    "table4": (anomaly, tuple(ANOMALY_ROWS)),
    "table5": (comparison, tuple(COMPARED)),
    "networks": (network, tuple(NETWORKS)),
}
