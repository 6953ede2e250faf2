"""Trains and keeps what the rows of the tables have in common: networks, features, scores."""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.detector.mil.losses import MagnitudeLoss, RankingLoss
from models.detector.mil.network import BagNetwork
from models.detector.mil.train import BagTraining, bags_of, score_seconds, train_bags
from models.detector.networks.classifier import SecondClassifier
from models.detector.paper.corpus import Corpus, load_corpus
from models.detector.paper.figures import second_figures
from models.detector.paper.pieces import PIECE_SECONDS, Piece, cut, five_seconds, untrimmed
from models.detector.paper.selections import ALL, SELECTIONS, all_seconds, selected_seconds
from models.detector.paper.standalone import EPOCHS, features_of, train_standalone
from models.detector.vggish import stand_in
from models.detector.vggish.network import VGGish
from models.detector.vggish.weights import load_vggish

LOSSES = {"magnitude": MagnitudeLoss, "ranking": RankingLoss}
DATASETS = ("5s", "untrimmed")
# What VGGish stands for among the names of features; all others are selections of table 3.
VGGISH = "vggish"


@dataclass(frozen=True)
class Settings:
    """What the experiments depend on, beside the corpus.

    Attributes:
        backbone: that tables 3 to 5 use.
        epochs: of a standalone classifier.
        steps: of a network over bags.
        bag_size: instances of an untrimmed recording; a piece of 5 s has 5.
        loss: `magnitude` or `ranking`.
        refinement: `multi-scale` or `plain`.
        vggish: a file of published weights; None trains the stand-in.
        stand_in_epochs: of the stand-in.
        seed: of all that is drawn.
    """

    backbone: str = "shufflenet-0.5"
    epochs: int = EPOCHS
    steps: int = 20_000
    bag_size: int = 10
    loss: str = "magnitude"
    refinement: str = "multi-scale"
    vggish: Path | None = None
    stand_in_epochs: int = stand_in.EPOCHS
    seed: int = 0


class Laboratory:
    """One set of settings, and what is trained with them.

    What is trained has a name that tells what it depends on; what is finished under that name is
    not trained again, and what was interrupted goes on.

    Args:
        folder: of the recordings.
        run: folder of caches and checkpoints.
        settings: of all experiments.
    """

    def __init__(self, folder: Path, run: Path, settings: Settings) -> None:
        self.folder = folder
        self.run = run
        self.settings = settings
        self._features: dict[tuple[str, str], NDArray[np.float32]] = {}

    @cached_property
    def train(self) -> Corpus:
        """Split `train`; all that is learnt is learnt here."""
        return self._corpus("train")

    @cached_property
    def val(self) -> Corpus:
        """Split `val`, on which choices are made."""
        return self._corpus("val")

    @cached_property
    def test(self) -> Corpus:
        """Split `test`, for the rows of the tables alone."""
        return self._corpus("test")

    def _corpus(self, split: str) -> Corpus:
        return load_corpus(self.folder, split, self.run / "corpus")

    def classifier(self, selection: str, backbone: str | None = None) -> SecondClassifier:
        """The standalone classifier of a selection of seconds: `all`, or one of `SELECTIONS`."""
        if selection == ALL:
            examples = all_seconds(self.train)
        else:
            chosen = SELECTIONS[selection]
            scores = self.mining_scores(chosen.dataset) if chosen.mines else None
            pieces = self.pieces(chosen.dataset)
            examples = selected_seconds(self.train, pieces, chosen, scores, self.settings.seed)
        return train_standalone(
            backbone or self.settings.backbone,
            examples,
            self.run / "standalone" / self.classifier_name(selection, backbone),
            self.settings.epochs,
            self.settings.seed,
        )

    def classifier_name(self, selection: str, backbone: str | None = None) -> str:
        """What a classifier depends on."""
        s = self.settings
        name = f"{backbone or s.backbone}-{selection}-{s.epochs}-{s.seed}"
        if selection == ALL or not SELECTIONS[selection].mines:
            return name
        return f"{name}-by-{self.bags_name(SELECTIONS[selection].dataset, VGGISH)}"

    def pieces(self, dataset: str) -> list[Piece]:
        """What the bags of split `train` are made of."""
        if dataset == "5s":
            return five_seconds(self.train.labels, self.train.recordings)
        return untrimmed(self.train.manifest, self.train.recordings)

    def bag_network(self, dataset: str, features: str) -> BagNetwork:
        """The network over bags: of `5s` or `untrimmed` audios, on the features of VGGish or of
        the standalone classifier of a selection.
        """  # fmt: skip
        s = self.settings
        size = PIECE_SECONDS if dataset == "5s" else s.bag_size
        pieces, rows = self.pieces(dataset), self.features(features, "train")
        abnormal, normal = (
            bags_of(rows, [piece.rows for piece in pieces if piece.is_cry is wanted], size)
            for wanted in (True, False)
        )
        training = BagTraining(
            bag_size=size,
            steps=s.steps,
            refinement=s.refinement,
            loss=LOSSES[s.loss](),
            seed=s.seed,
        )
        run = self.run / "bags" / self.bags_name(dataset, features)
        return train_bags(abnormal, normal, run, training, partial(self._judge, features))

    def _judge(self, features: str, network: BagNetwork) -> float:
        """The area under the ROC curve on the seconds of `val`."""
        stretches = cut(self.val.recordings, PIECE_SECONDS)
        scores = score_seconds(network, self.features(features, "val"), stretches)
        return second_figures(scores, self.val.labels).auc

    def bags_name(self, dataset: str, features: str) -> str:
        """What a network over bags depends on."""
        s = self.settings
        size = PIECE_SECONDS if dataset == "5s" else s.bag_size
        on = self._vggish_name() if features == VGGISH else self.classifier_name(features)
        return f"{dataset}-{size}-{s.loss}-{s.refinement}-{s.steps}-{s.seed}-best-on-{on}"

    def scores(self, dataset: str, features: str, split: str) -> NDArray[np.float32]:
        """Of every second of a split, heard in its piece of 5 s: float32 [seconds]."""
        stretches = cut(getattr(self, split).recordings, PIECE_SECONDS)
        network = self.bag_network(dataset, features)
        return score_seconds(network, self.features(features, split), stretches)

    def mining_scores(self, dataset: str) -> NDArray[np.float32]:
        """Of every second of split `train`, by the network over bags of VGGish features."""
        longest = PIECE_SECONDS if dataset == "5s" else None
        network = self.bag_network(dataset, VGGISH)
        stretches = cut(self.train.recordings, longest)
        return score_seconds(network, self.features(VGGISH, "train"), stretches)

    def features(self, name: str, split: str) -> NDArray[np.float32]:
        """Frozen features of all seconds of a split: float32 [seconds, 128 or 256]."""
        if (name, split) not in self._features:
            corpus: Corpus = getattr(self, split)
            self._features[name, split] = (
                features_of(self.vggish(), corpus.vggish_mels)
                if name == VGGISH
                else features_of(self.classifier(name).backbone, corpus.log_mels)
            )
        return self._features[name, split]

    def vggish(self) -> VGGish:
        """The published network if its weights were given, else the stand-in."""
        if self.settings.vggish is not None:
            return load_vggish(self.settings.vggish)
        manifest, recordings = self.train.manifest, self.train.recordings
        names = sorted({manifest[i].kind for i in np.unique(recordings)})
        kinds = np.array([names.index(manifest[i].kind) for i in recordings])
        return stand_in.train_stand_in(
            self.train.vggish_mels,
            kinds,
            self.run / self._vggish_name(),
            self.settings.stand_in_epochs,
            self.settings.seed,
        )

    def _vggish_name(self) -> str:
        s = self.settings
        if s.vggish is not None:
            return f"vggish-{s.vggish.stem}"
        return f"vggish-stand-in-{s.stand_in_epochs}-{s.seed}"
