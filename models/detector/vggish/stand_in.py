"""A small VGGish trained on our own corpus, to stand in where the published weights cannot be had.

The published network was trained to tag general sound; so is this one, on what is heard in the
recordings of split `train` (the manifest's `kind`). It sees labels of whole recordings alone: no
second of a cry is marked for it, which is what mining is about.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from models.detector.checkpoints import Checkpoint, append_row
from models.detector.vggish.network import EMBEDDING, VGGish

# A sixteenth of the published 72 million weights: what some thousand seconds can teach.
WIDTH = 0.25
EPOCHS = 10
BATCH = 64
PEAK_LEARNING_RATE = 5e-4


class Tagger(nn.Module):
    """A VGGish and one linear layer: `[batch, 1, 96, 64]` to logits `[batch, kinds]`."""

    def __init__(self, kinds: int, width: float = WIDTH) -> None:
        super().__init__()
        self.vggish = VGGish(width)
        self.head = nn.Linear(EMBEDDING, kinds)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                # Nine layers without batch norm: sound would fade on its way with torch's own.
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, log_mel: torch.Tensor) -> torch.Tensor:
        return self.head(self.vggish(log_mel))


def train_stand_in(
    log_mels: NDArray[np.float32],
    kinds: NDArray[np.int64],
    run: Path,
    epochs: int = EPOCHS,
    seed: int = 0,
    width: float = WIDTH,
) -> VGGish:
    """Train on seconds and the kind of their recording; goes on where it was interrupted.

    Writes `run/tagger.pt` after every epoch, and the loss and accuracy into `run/log.csv`.

    Args:
        log_mels: float32 [seconds, 96, 64].
        kinds: int64 [seconds], from 0.
        run: folder of the checkpoint.
        epochs: over all seconds.
        seed: of weights and order.
        width: of the network.

    Raises:
        ValueError: `run` holds another training.
    """
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = Tagger(int(kinds.max()) + 1, width)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    steps = -(-len(kinds) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_LEARNING_RATE, total_steps=max(2, epochs * steps)
    )
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    settings = {"epochs": epochs, "seed": seed, "width": width, "seconds": len(kinds)}
    checkpoint = Checkpoint(run / "tagger.pt", parts, settings)
    for epoch in range(checkpoint.resume(), epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(kinds))
        batches = np.array_split(order, steps)
        losses, right = [], 0
        for rows in tqdm(batches, f"VGGish {epoch + 1}/{epochs}", leave=False, disable=None):
            targets = torch.from_numpy(kinds[rows])
            logits = model(torch.from_numpy(log_mels[rows])[:, None])
            loss = nn.functional.cross_entropy(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            right += int((logits.argmax(1) == targets).sum())
        row = {"epoch": epoch + 1, "loss": float(np.mean(losses)), "accuracy": right / len(kinds)}
        append_row(run / "log.csv", row)
        checkpoint.save(epoch + 1)
    return model.vggish.eval()
