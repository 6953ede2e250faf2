"""Trains the detector: first the backbone on single seconds, then the head on their context."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from models.augment import band_limited, with_gain, with_noise
from models.corpora.labels import OTHER, UNKNOWN
from models.corpora.manifest import CorpusError, corpus_folder
from models.detector.data import Seconds, as_float, load_seconds
from models.detector.evaluation import evaluate, figures, report
from models.detector.export import export
from models.detector.networks.classifier import SecondClassifier
from models.detector.networks.context import ContextHead
from models.detector.networks.shufflenet import ShuffleNetV2
from models.features import log_mel
from models.sound import SoundError

BATCH = 64
CONTEXT_SECONDS = 5
HEAD_STEPS = 1500
HEAD_VIEWS = 2  # differently augmented passes over the training seconds, for the head
EMA_DECAY = 0.995
# Probabilities of one augmentation; each is drawn for itself.
COPY, NOISE, BAND_LIMIT, MASK = 0.5, 0.5, 0.3, 0.5
SNR_DB = (0.0, 25.0)
GAIN_DB = (-25.0, 12.0)
CUTOFF_HZ = (1800.0, 3900.0)


def _augmented(seconds: Seconds, rows: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """Spectrograms of seconds after random codecs, noises, bands and levels: [rows, 64, 64]."""
    waveforms = as_float(seconds.waveforms[rows])
    copied = rng.random(len(rows)) < COPY
    waveforms[copied] = as_float(seconds.copies[rows[copied]])
    # Noise is what is known not to cry, so that a label stays true.
    noisy = rng.random(len(rows)) < NOISE
    quiet = np.flatnonzero(seconds.labels == OTHER)
    noises = as_float(seconds.copies[rng.choice(quiet, noisy.sum())])
    waveforms[noisy] = with_noise(waveforms[noisy], noises, rng, SNR_DB)
    limited = rng.random(len(rows)) < BAND_LIMIT
    if limited.any():
        waveforms[limited] = band_limited(waveforms[limited], rng, CUTOFF_HZ)
    return log_mel(with_gain(waveforms, rng, GAIN_DB))


def _varied(spectrograms: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Each [64, 64] rolled in time, which keeps how much of it is a cry, and maybe masked.

    SpecAugment (Park et al. 2019): a band of mels and a stretch of frames become the mean.
    """
    for spectrogram in spectrograms:
        spectrogram[:] = np.roll(spectrogram, rng.integers(spectrogram.shape[1]), axis=1)
        if rng.random() < MASK:
            first, width = rng.integers(0, 56), rng.integers(1, 9)
            spectrogram[first : first + width] = spectrogram.mean()
            first, width = rng.integers(0, 52), rng.integers(1, 13)
            spectrogram[:, first : first + width] = spectrogram.mean()
    return spectrograms


def _train_backbone(
    seconds: Seconds, run: Path, epochs: int, width: float, seed: int
) -> SecondClassifier:
    torch.manual_seed(seed)
    known = np.flatnonzero(seconds.labels != UNKNOWN)
    model = SecondClassifier(ShuffleNetV2(width))
    steps = len(known) // BATCH
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=4e-3, total_steps=epochs * steps
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "average": average}
    checkpoint = run / "backbone.pt"
    first = _resume(checkpoint, parts, epochs)
    for epoch in range(first, epochs):
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(known)[: steps * BATCH].reshape(steps, BATCH)
        losses = []
        for rows in tqdm(order, f"Epoch {epoch + 1}/{epochs}", leave=False):
            spectrograms = _varied(_augmented(seconds, rows, rng), rng)
            logits = model(torch.from_numpy(spectrograms)[:, None])
            targets = torch.from_numpy(seconds.labels[rows].astype(np.float32))
            loss = nn.functional.binary_cross_entropy_with_logits(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            losses.append(loss.item())
        _log(run, {"stage": "backbone", "step": epoch + 1, "loss": float(np.mean(losses))})
        torch.save(
            {"epoch": epoch + 1, "epochs": epochs}
            | {name: part.state_dict() for name, part in parts.items()},
            checkpoint,
        )
    return average.module.eval()


def _resume(checkpoint: Path, parts: dict, epochs: int) -> int:
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    # The learning rate follows a curve over all epochs: half of one does not fit another.
    if saved.get("epochs") != epochs:
        raise click.ClickException(
            f"{checkpoint} is of a run of {saved.get('epochs')} epochs: give --epochs "
            f"{saved.get('epochs')}, or another --run."
        )
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return saved["epoch"]


@torch.inference_mode()
def _features(model: SecondClassifier, spectrograms: NDArray[np.float32]) -> Tensor:
    parts = torch.from_numpy(spectrograms)[:, None].split(256)
    return torch.cat([model.backbone(part) for part in parts])


def windows_of(features: Tensor, recordings: NDArray) -> Tensor:
    """Windows of each second's context: [seconds, 256] to [seconds, K, 256].

    A window never reaches into another recording: it is padded with its own first second.
    """
    at = np.arange(len(features))
    begins = np.searchsorted(recordings, recordings)  # first second of each one's recording
    back = np.arange(-CONTEXT_SECONDS + 1, 1)
    return features[np.maximum(at[:, None] + back, begins[:, None])]


def _views(model: SecondClassifier, seconds: Seconds, rng: np.random.Generator) -> Iterator[Tensor]:
    """Features of all seconds, once clean and then augmented anew."""
    yield _features(model, log_mel(as_float(seconds.waveforms)))
    for _ in tqdm(range(HEAD_VIEWS), "Features", leave=False):
        rows = np.array_split(np.arange(len(seconds.labels)), 50)
        yield torch.cat([_features(model, _augmented(seconds, part, rng)) for part in rows])


def _train_head(model: SecondClassifier, seconds: Seconds, run: Path, seed: int) -> ContextHead:
    rng = np.random.default_rng([seed, 10_000])
    torch.manual_seed(seed)
    known = np.flatnonzero(seconds.labels != UNKNOWN)
    views = [windows_of(view, seconds.recordings)[known] for view in _views(model, seconds, rng)]
    targets = torch.from_numpy(seconds.labels[known].astype(np.float32))
    head = ContextHead(CONTEXT_SECONDS)
    # Begins as the standalone classifier, so that context can only add to it.
    head.last.load_state_dict(model.head[1].state_dict())
    nn.init.zeros_(head.context[-1].weight)
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, HEAD_STEPS)
    losses = []
    for step in tqdm(range(HEAD_STEPS), "Head", leave=False):
        rows = torch.from_numpy(rng.choice(len(known), 256))
        loss = nn.functional.binary_cross_entropy_with_logits(
            head(views[step % len(views)][rows]), targets[rows]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % 250 == 0:
            _log(run, {"stage": "head", "step": step + 1, "loss": float(np.mean(losses[-250:]))})
    return head.eval()


def _log(run: Path, row: dict[str, object]) -> None:
    path = run / "log.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


@click.command("fit")
@click.option("--run", type=click.Path(path_type=Path), default="runs/detector", show_default=True)
@click.option("--weights", type=click.Path(path_type=Path), help="Export here, not into the run.")
@click.option("--epochs", default=20, show_default=True)
@click.option("--width", type=click.Choice(["0.5", "1.0"]), default="0.5", show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--evaluate-only", is_flag=True, help="Print the figures of the exported model.")
@click.option("--split", type=click.Choice(["val", "test"]), default="val", show_default=True,
              help="Where to evaluate; choices are made on val alone.")  # fmt: skip
def command(
    run: Path,
    weights: Path | None,
    epochs: int,
    width: str,
    seed: int,
    threads: int,
    evaluate_only: bool,
    split: str,
) -> None:
    """Train the detector that ships, on the corpus that VAGITUS_DATA names.

    A run that was interrupted goes on from its last epoch. Its log is RUN/log.csv.
    """
    torch.set_num_threads(threads)
    run.mkdir(parents=True, exist_ok=True)
    target = weights or run
    try:
        folder = corpus_folder()
        if not evaluate_only:
            _, seconds = load_seconds(folder, "train", run)
            model = _train_backbone(seconds, run, epochs, float(width), seed)
            export(model.backbone, _train_head(model, seconds, run, seed), target)
        manifest, seconds = load_seconds(folder, split, run)
        result = figures(evaluate(target, seconds), seconds, manifest)
    except (CorpusError, SoundError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from None
    (run / f"figures-{split}.json").write_text(json.dumps(result, indent=1))
    click.echo(report(result, split))
