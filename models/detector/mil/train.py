"""Trains the network over bags on frozen features, and scores seconds with it.

Tan, Yao and Liu (2023), section 4.2: 20,000 steps, batches of 128, a learning rate of 0.001, two
loaders that pair abnormal and normal bags at random.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from models.detector.checkpoints import Checkpoint, append_row
from models.detector.mil.bags import bag_of
from models.detector.mil.losses import Bags, MagnitudeLoss, RankingLoss
from models.detector.mil.network import BagNetwork

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 5e-3  # as RTFM, whose code the paper builds on
SAVED_STEPS = 1000  # a multiple of the one below
JUDGED_STEPS = 200  # often enough to find the best of some thousand, cheap enough to do


@dataclass(frozen=True)
class BagTraining:
    """The settings of one training.

    Attributes:
        bag_size: T, instances of a bag.
        steps: of the optimizer.
        batch: bags of a step, half of them abnormal.
        refinement: `multi-scale` or `plain`.
        loss: equation 6 or equation 3.
        seed: of weights and batches.
    """

    bag_size: int = 5
    steps: int = 20_000
    batch: int = 128
    refinement: str = "multi-scale"
    loss: MagnitudeLoss | RankingLoss = field(default_factory=MagnitudeLoss)
    seed: int = 0


class Best:
    """The weights with the highest figure so far, to be part of a checkpoint."""

    def __init__(self) -> None:
        self.figure = -math.inf
        self.step = 0
        self.weights: dict[str, Tensor] = {}

    def offer(self, network: BagNetwork, step: int, figure: float) -> None:
        """Keep a copy of these weights if none were better."""
        if figure > self.figure:
            self.figure, self.step = figure, step
            self.weights = {name: w.clone() for name, w in network.state_dict().items()}

    def state_dict(self) -> dict[str, object]:
        """What a checkpoint keeps."""
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Take what a checkpoint kept."""
        vars(self).update(state)


class Loader:
    """Bags of one kind in random order, endlessly; each passes once before any comes again.

    Args:
        bags: float32 [bags, T, features].
        batch: bags of one draw.
        seed: of the order, which depends on nothing else: any step's draw can be had again.
    """

    def __init__(self, bags: Tensor, batch: int, seed: int) -> None:
        if not len(bags):
            raise ValueError("there are no bags to draw from")
        self.bags = bags
        self.batch = batch
        self.seed = seed

    def batches(self, first: int = 0) -> Iterator[Tensor]:
        """Draws from step `first` on: float32 [batch, T, features] each."""
        step = first
        while True:
            places = np.arange(step * self.batch, (step + 1) * self.batch)
            rounds, rows = np.divmod(places, len(self.bags))
            orders = {number: self._order(number) for number in np.unique(rounds)}
            yield self.bags[[orders[number][row] for number, row in zip(rounds, rows, strict=True)]]
            step += 1

    def _order(self, number: int) -> NDArray[np.int64]:
        return np.random.default_rng([self.seed, number]).permutation(len(self.bags))


def bags_of(features: NDArray[np.float32], stretches: list[NDArray[np.int64]], size: int) -> Tensor:
    """Bags of stretches of seconds: float32 [seconds, features] to [stretches, T, features]."""
    bags = [bag_of(features[rows], size) for rows in stretches]
    return torch.from_numpy(np.stack(bags)) if bags else torch.zeros(0, size, features.shape[1])


def train_bags(
    abnormal: Tensor,
    normal: Tensor,
    run: Path,
    training: BagTraining,
    judge: Callable[[BagNetwork], float] | None = None,
) -> BagNetwork:
    """Train on bags, float32 [bags, T, features]; goes on from `run` where it was interrupted.

    Writes `run/bags.pt` every 1,000 steps, and the loss and the judge's figure into `run/log.csv`
    every 200.

    Args:
        abnormal: bags that hold an abnormal instance.
        normal: bags that hold none.
        run: folder of the checkpoint.
        training: its settings.
        judge: a figure of a network on data that it does not learn from. The weights with the
            highest one are returned, as RTFM's code has it: there are so few bags that the last
            weights have long learnt them by heart. None: the last weights.

    Raises:
        ValueError: there are no bags of one kind, or `run` holds another training.
    """
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(training.seed)
    network = BagNetwork(abnormal.shape[2], training.refinement)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    settings = asdict(training) | {
        "loss": repr(training.loss), "bags": [len(abnormal), len(normal)]
    }  # fmt: skip
    best = Best()
    parts = {"network": network, "optimizer": optimizer, "best": best}
    checkpoint = Checkpoint(run / "bags.pt", parts, settings)
    first = checkpoint.resume()
    half = training.batch // 2
    draws = zip(
        Loader(abnormal, half, 2 * training.seed).batches(first),
        Loader(normal, half, 2 * training.seed + 1).batches(first),
        strict=True,
    )
    network.train()
    losses = []
    bar = tqdm(range(first, training.steps), "Bags", leave=False, disable=None)
    for step, (cries, others) in zip(bar, draws, strict=False):
        torch.manual_seed(training.seed + step)  # the same dropout after an interruption
        # One pass for both, so that the batch norms see what they will see later.
        seen = network(torch.cat([cries, others]))
        loss = training.loss(*_halves(seen, half))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        done = step + 1
        if done % JUDGED_STEPS == 0 or done == training.steps:
            figure = float(done) if judge is None else judge(network.eval())
            network.train()
            best.offer(network, done, figure)
            row = {"step": done, "loss": float(np.mean(losses)), "figure": figure}
            append_row(run / "log.csv", row)
            losses = []
        if done % SAVED_STEPS == 0 or done == training.steps:
            checkpoint.save(done)
    network.load_state_dict(best.weights)
    return network.eval()


def _halves(bags: Bags, half: int) -> tuple["Bags", "Bags"]:
    return (
        Bags(bags.scores[:half], bags.magnitudes[:half]),
        Bags(bags.scores[half:], bags.magnitudes[half:]),
    )


@torch.inference_mode()
def score_seconds(
    network: BagNetwork, features: NDArray[np.float32], stretches: list[NDArray[np.int64]]
) -> NDArray[np.float32]:
    """Score every second in its stretch, as it is: no instances are made (section 3.3).

    Args:
        network: trained.
        features: float32 [seconds, features].
        stretches: rows of `features`, each a run of consecutive seconds; together all of them.

    Returns:
        float32 [seconds], in 0..1.
    """
    scores = np.zeros(len(features), np.float32)
    for rows in stretches:
        scores[rows] = network(torch.from_numpy(features[rows])[None]).scores[0].numpy()
    return scores
