"""The paper's standalone classifier: a backbone on single seconds, trained by its recipe.

Tan, Yao and Liu (2023), section 4.2: SGD with momentum 0.9, a learning rate of 0.001 that falls
tenfold every 20 epochs, 60 epochs, batches of 32, no augmentation.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from models.detector.checkpoints import Checkpoint, append_row
from models.detector.networks import backbone
from models.detector.networks.classifier import SecondClassifier

BATCH = 32
LEARNING_RATE = 1e-3
MOMENTUM = 0.9
EPOCHS = 60
# The steps of the decay, as shares of the training: a shorter one keeps the shape.
DECAY, DECAYS = 0.1, 3
SCORED_AT_ONCE = 256


@dataclass(frozen=True)
class Examples:
    """What a classifier learns from.

    Attributes:
        log_mels: float32 [seconds, 64, 64] in dB; shared, not copied.
        rows: of it, int64 [examples].
        labels: of these rows, float32 [examples], 0 or 1.
    """

    log_mels: NDArray[np.float32]
    rows: NDArray[np.int64]
    labels: NDArray[np.float32]


def train_standalone(
    name: str, examples: Examples, run: Path, epochs: int = EPOCHS, seed: int = 0
) -> SecondClassifier:
    """Train the backbone `name` on seconds; goes on from `run` where it was interrupted.

    Writes `run/classifier.pt` after every epoch and its loss into `run/log.csv`.

    Raises:
        ValueError: there is no such backbone, or `run` holds a training of another length.
    """
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = SecondClassifier(backbone(name), dropout=0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    every = max(1, epochs // DECAYS)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, every, DECAY)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    settings = {"backbone": name, "epochs": epochs, "seed": seed, "examples": len(examples.rows)}
    checkpoint = Checkpoint(run / "classifier.pt", parts, settings)
    for epoch in range(checkpoint.resume(), epochs):
        rng = np.random.default_rng([seed, epoch])
        title = f"{name} {epoch + 1}/{epochs}"
        loss = _epoch(model.train(), optimizer, examples, rng, title)
        schedule.step()
        append_row(run / "log.csv", {"epoch": epoch + 1, "loss": loss})
        checkpoint.save(epoch + 1)
    return model.eval()


def _epoch(
    model: SecondClassifier,
    optimizer: torch.optim.Optimizer,
    examples: Examples,
    rng: np.random.Generator,
    title: str,
) -> float:
    torch.manual_seed(int(rng.integers(2**31)))  # the same dropout after an interruption
    order = rng.permutation(len(examples.rows))
    batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    losses = []
    for chosen in tqdm(batches, title, leave=False, disable=None):
        log_mels = torch.from_numpy(examples.log_mels[examples.rows[chosen]])[:, None]
        targets = torch.from_numpy(examples.labels[chosen])
        loss = nn.functional.binary_cross_entropy_with_logits(model(log_mels), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses))


@torch.inference_mode()
def features_of(network: nn.Module, log_mels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of seconds: float32 [seconds, ...] to [seconds, size], a few at once."""
    parts = torch.from_numpy(log_mels)[:, None].split(SCORED_AT_ONCE)
    return torch.cat([network(part) for part in parts]).numpy()


def scores_of(model: SecondClassifier, log_mels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability of a cry in each second: float32 [seconds, 64, 64] to [seconds]."""
    return 1 / (1 + np.exp(-features_of(model, log_mels)))
