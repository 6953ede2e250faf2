"""Trains and keeps what the rows of the tables have in common: corpora, classifiers, features."""

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.corpora.labels import UNKNOWN
from models.detector.networks.classifier import SecondClassifier
from models.detector.paper.corpus import Corpus, load_corpus
from models.detector.paper.standalone import Examples, train_standalone
from models.features import DETECTOR_RATE_HZ, log_mel

# Enough seconds for one call, few enough to stay in the cache; as the runtime takes them.
TIMED_BATCH = 16
TIMED_CALLS = 20


@dataclass(frozen=True)
class Laboratory:
    """One set of settings, and what is trained with them.

    Attributes:
        folder: of the recordings.
        run: folder of caches and checkpoints; what is finished there is not trained again.
        backbone: that tables 3 to 5 use.
        epochs: of a standalone classifier.
        steps: of a multiple-instance network.
        seed: of all that is drawn.
    """

    folder: Path
    run: Path
    backbone: str
    epochs: int
    steps: int
    seed: int

    @cached_property
    def train(self) -> Corpus:
        return load_corpus(self.folder, "train", self.run / "corpus")

    @cached_property
    def val(self) -> Corpus:
        return load_corpus(self.folder, "val", self.run / "corpus")

    @cached_property
    def test(self) -> Corpus:
        return load_corpus(self.folder, "test", self.run / "corpus")

    def classifier(self, selection: str, backbone: str | None = None) -> SecondClassifier:
        """The standalone classifier, trained on a selection of seconds (`all`, ...)."""
        name = backbone or self.backbone
        run = self.run / "standalone" / f"{name}-{selection}-{self.epochs}-{self.seed}"
        return train_standalone(name, self.examples(selection), run, self.epochs, self.seed)

    def examples(self, selection: str) -> Examples:
        """What a standalone classifier learns from."""
        labels = self.train.labels
        if selection == "all":
            rows = np.flatnonzero(labels != UNKNOWN)
            return Examples(self.train.log_mels, rows, labels[rows].astype(np.float32))
        raise ValueError(f"no selection {selection!r}")


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
