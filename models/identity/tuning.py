"""The tuning loop: batches of views in, a better embedder out, with checkpoints on the way."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from models.identity.losses import make_loss
from models.identity.network import EcapaTdnn
from models.identity.pairs import CryFrames, PairSampler
from models.identity.runtime import unit_length
from models.identity.verification import recordings_error_rate


@dataclass(frozen=True)
class Tuning:
    """Settings of one run; `frames_per_view` 200 is 2 s, as much as most recordings hold twice.

    ICLAS tunes at 1e-5 with a weight decay of 1e-4, on a corpus seventy times as large. Here 1e-5
    needs ten times the steps to get as far as 2e-4 (docs/identity/log.md); the decay is the same.
    """

    steps: int = 120
    infants_per_batch: int = 32
    frames_per_view: int = 200
    learning_rate: float = 2e-4
    weight_decay: float = 1e-4
    loss: str = "nt-xent"
    temperature: float = 0.1
    views: int = 2
    frozen_layers: int = 2
    check_every: int = 20
    seed: int = 0


class SettingsChanged(ValueError):
    """A run cannot be resumed with other settings than it was started with."""


def tune(
    network: EcapaTdnn,
    cries: Sequence[CryFrames],
    checks: dict[str, Sequence[CryFrames]],
    settings: Tuning,
    folder: Path,
    resume: bool = False,
) -> EcapaTdnn:
    """Tune `network` in place on views of `cries`, and return it in evaluation mode.

    Every `check_every` steps the equal-error rate on each set of `checks` is logged to
    `folder/log.csv` and everything needed to go on is saved to `folder/checkpoint.pt`; `resume`
    goes on from there, drawing the very batches that would have followed.

    Raises:
        SettingsChanged: a resumed run has other settings (more steps are no difference).
        OSError: there is no checkpoint to resume from.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    sampler = PairSampler(
        cries, settings.infants_per_batch, settings.frames_per_view, rng, settings.views
    )
    network.freeze_lower(settings.frozen_layers)
    loss = make_loss(settings.loss, settings.temperature)
    tuned = [
        {"params": [p for p in network.parameters() if p.requires_grad]},
        # A scale or an offset has no size to keep small.
        {"params": list(loss.parameters()), "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(
        tuned, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    folder.mkdir(parents=True, exist_ok=True)
    state = _State(network, loss, optimizer, rng)
    done = _restore(folder, state, settings) if resume else 0
    log = _Log(folder / "log.csv", tuple(checks), keep=done > 0)
    if not done:
        log.write(0, float("nan"), _rates(network, checks))
    losses: list[float] = []
    progress = tqdm(range(done, settings.steps), initial=done, total=settings.steps, unit="step")
    for step in progress:
        losses.append(_step(state, sampler, settings))
        progress.set_postfix(loss=f"{losses[-1]:.3f}")
        if (step + 1) % settings.check_every == 0 or step + 1 == settings.steps:
            log.write(step + 1, float(np.mean(losses)), _rates(network, checks))
            losses.clear()
            _save(folder, step + 1, state, settings)
    return network.eval()


def embed_recordings(network: EcapaTdnn, cries: Sequence[CryFrames]) -> np.ndarray:
    """Embed whole recordings: float32 [recordings, embedding size], of unit length."""
    network.eval()
    rows = []
    with torch.no_grad():
        for cry in cries:
            features = (cry.frames - cry.frames.mean(axis=0)).astype(np.float32)
            rows.append(network(torch.from_numpy(features)[None])[0].numpy())
    return unit_length(np.stack(rows))


@dataclass(frozen=True)
class _State:
    """All that changes while tuning."""

    network: EcapaTdnn
    loss: nn.Module
    optimizer: torch.optim.Optimizer
    rng: np.random.Generator


def _step(state: _State, sampler: PairSampler, settings: Tuning) -> float:
    network = state.network.train()
    # What is frozen keeps its running statistics too.
    for block in network.blocks[: settings.frozen_layers]:
        block.eval()
    batch = torch.from_numpy(sampler.draw())
    embeddings = network(batch.flatten(0, 1)).unflatten(0, batch.shape[:2])
    loss = state.loss(embeddings)
    state.optimizer.zero_grad()
    loss.backward()
    state.optimizer.step()
    return loss.item()


def _rates(network: EcapaTdnn, checks: dict[str, Sequence[CryFrames]]) -> list[float]:
    return [
        recordings_error_rate(embed_recordings(network, cries), [cry.owner for cry in cries])
        for cries in checks.values()
    ]


class _Log:
    """A CSV line a check."""

    def __init__(self, path: Path, checks: tuple[str, ...], keep: bool) -> None:
        self._path = path
        if not keep or not path.exists():
            self._append(["step", "loss", *(f"{name}_eer" for name in checks)], "w")

    def write(self, step: int, loss: float, rates: list[float]) -> None:
        self._append([step, f"{loss:.4f}", *(f"{rate:.4f}" for rate in rates)], "a")

    def _append(self, row: list[object], mode: str) -> None:
        with self._path.open(mode, newline="") as file:
            csv.writer(file).writerow(row)


def _save(folder: Path, step: int, state: _State, settings: Tuning) -> None:
    content = {
        "step": step,
        "network": state.network.state_dict(),
        "loss": state.loss.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "rng": state.rng.bit_generator.state,
        "settings": asdict(settings),
    }
    # Written beside and moved, so that a kill in the middle leaves the older one whole.
    unfinished = folder / "checkpoint.part"
    torch.save(content, unfinished)
    unfinished.replace(folder / "checkpoint.pt")


def _restore(folder: Path, state: _State, settings: Tuning) -> int:
    content = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    before, now = content["settings"], asdict(settings)
    changed = [name for name in now if name != "steps" and before.get(name) != now[name]]
    if changed:
        raise SettingsChanged(f"this run was started with another {', '.join(changed)}")
    state.network.load_state_dict(content["network"])
    state.loss.load_state_dict(content["loss"])
    state.optimizer.load_state_dict(content["optimizer"])
    state.rng.bit_generator.state = content["rng"]
    return content["step"]
