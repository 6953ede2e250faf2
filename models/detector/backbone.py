"""First half of the training: the network that hears single seconds."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from models.detector.networks.classifier import SecondClassifier
from models.detector.networks.layers import FEATURE_SIZE
from models.detector.student import Student
from models.detector.tagger import CLASSES, Tagger
from models.detector.targets import TEACHER_SHIFTS, with_teacher
from models.detector.variation import heard, masked, played
from models.detector.windows import HISTORY, TrainingSound
from models.features import DETECTOR_RATE_HZ, log_mel

BATCH = 96
PEAK_RATE, CYCLE_PEAK_RATE = 4e-3, 2e-3
WEIGHT_DECAY, EMA_DECAY, LONGEST_STEP = 0.02, 0.995, 5.0
# What YAMNet says of a sound is learned beside what a cry is: it knows hundreds of sounds that the
# corpus does not hold. A quarter of this weight let more cats pass, four times as much was no
# better.
TAGS_WEIGHT = 0.5

Log = Callable[[dict[str, object]], None]


class TeacherOpinions:
    """What the teacher thinks of any window of the corpus.

    Args:
        logits: float32 [seconds, 8] of the corpus; what was invented has none.
        sound: that is trained on.
    """

    def __init__(self, logits: NDArray[np.float32] | None, sound: TrainingSound) -> None:
        self._logits = np.full((sound.seconds, TEACHER_SHIFTS), np.nan, np.float32)
        if logits is not None:
            self._logits[: len(logits)] = logits
        self._doubted = sound.of_cry_recordings

    def targets(
        self, rows: NDArray[np.int64], ends: NDArray[np.int64], shares: NDArray[np.float64]
    ) -> tuple[Tensor, Tensor]:
        """Targets and weights of windows about seconds `rows` that end at samples `ends`."""
        second, sample = np.divmod(ends - DETECTOR_RATE_HZ, DETECTOR_RATE_HZ)
        shift = sample * TEACHER_SHIFTS // DETECTOR_RATE_HZ
        target, weight = with_teacher(shares, self._doubted[rows], self._logits[second, shift])
        return torch.from_numpy(target), torch.from_numpy(weight)


class _Tags(nn.Module):
    """The side task: from the student's features to the tags that YAMNet would give."""

    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.head = nn.Linear(FEATURE_SIZE, CLASSES)
        self._tagger = tagger

    def loss(self, features: Tensor, waveforms: NDArray[np.float32]) -> Tensor:
        wanted = torch.from_numpy(self._tagger.logits(waveforms))
        return TAGS_WEIGHT * nn.functional.mse_loss(self.head(features), wanted)


def train_backbone(
    sound: TrainingSound,
    opinions: TeacherOpinions,
    tagger: Tagger | None,
    checkpoint: Path,
    epochs: int,
    seed: int,
    log: Log,
    start: Path | None = None,
) -> SecondClassifier:
    """The standalone classifier, its weights averaged over the last steps.

    Goes on from `checkpoint`, which is written after each epoch: as many windows as there are
    seconds of sound. With `start`, the checkpoint of a run that is done, it is another cycle
    (Loshchilov and Hutter 2017, "SGDR"): from the averages of that run, at a lower rate.
    """
    torch.manual_seed(seed)
    model = SecondClassifier(Student()).to(memory_format=torch.channels_last)
    tags = _Tags(tagger) if tagger is not None else None
    if start is not None:
        _begin_with(start, model, tags)
    steps = max(1, sound.seconds // BATCH)
    optimizer = _optimizer(model, tags)
    peak = PEAK_RATE if start is None else CYCLE_PEAK_RATE
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak, total_steps=epochs * steps, pct_start=0.2
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "average": average}
    if tags is not None:
        parts["tags"] = tags.head
    for epoch in range(_resume(checkpoint, parts, epochs), epochs):
        rng = np.random.default_rng([seed, epoch])
        losses = []
        for _ in tqdm(range(steps), f"Epoch {epoch + 1}/{epochs}", leave=False):
            loss = _loss(model, tags, sound, opinions, rng)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), LONGEST_STEP)
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            losses.append(loss.item())
        log({"stage": "backbone", "step": epoch + 1, "loss": float(np.mean(losses))})
        torch.save(
            {"epoch": epoch + 1, "epochs": epochs}
            | {name: part.state_dict() for name, part in parts.items()},
            checkpoint,
        )
    return average.module.eval()


def _loss(
    model: SecondClassifier,
    tags: _Tags | None,
    sound: TrainingSound,
    opinions: TeacherOpinions,
    rng: np.random.Generator,
) -> Tensor:
    rows = sound.drawn(BATCH, rng)
    cut = sound.cut(rows, rng)
    waveforms, factors = played(cut.waveforms, sound.surely_other(rows), rng)
    shares = sound.cry_shares(rows, cut.ends, factors)
    target, weight = opinions.targets(rows, cut.ends, shares)
    may_cry = target.numpy() > 0.5
    waveforms = heard(waveforms, may_cry, lambda count: sound.noises(count, rng), rng)
    waveforms = np.ascontiguousarray(waveforms[:, HISTORY:])
    spectrograms = torch.from_numpy(masked(log_mel(waveforms), rng))[:, None]
    features = model.backbone(spectrograms.contiguous(memory_format=torch.channels_last))
    logits = model.head(features).squeeze(1)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, target, weight)
    if tags is not None:
        loss = loss + tags.loss(features, waveforms)
    return loss


def _optimizer(model: nn.Module, tags: nn.Module | None) -> torch.optim.Optimizer:
    """AdamW; only what multiplies many inputs decays, not norms, offsets and gains."""
    decayed, kept = [], []
    for module in (model, tags):
        for name, parameter in module.named_parameters() if module is not None else ():
            plain = parameter.ndim <= 1 or name.endswith((".gain", ".offset"))
            (kept if plain else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": kept, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=PEAK_RATE)


def mean_of(checkpoints: Sequence[Path]) -> SecondClassifier:
    """The mean of the averages of several cycles: they lie in one valley.

    Wortsman et al. (2022), "Model soups".
    """
    states = [_averages(torch.load(path, weights_only=True)) for path in checkpoints]
    model = SecondClassifier(Student())
    model.load_state_dict(
        {
            name: torch.stack([state[name].float() for state in states]).mean(dim=0).to(value.dtype)
            for name, value in states[0].items()
        }
    )
    return model.eval()


def _begin_with(start: Path, model: SecondClassifier, tags: _Tags | None) -> None:
    saved = torch.load(start, weights_only=True)
    model.load_state_dict(_averages(saved))
    if tags is not None and "tags" in saved:
        tags.head.load_state_dict(saved["tags"])


def _averages(saved: dict) -> dict[str, Tensor]:
    return {
        name.removeprefix("module."): value
        for name, value in saved["average"].items()
        if name.startswith("module.")
    }


def _resume(checkpoint: Path, parts: dict, epochs: int) -> int:
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    # The learning rate follows a curve over all epochs: half of one does not fit another.
    if saved.get("epochs") != epochs or saved.keys() - {"epoch", "epochs"} != parts.keys():
        raise click.ClickException(
            f"{checkpoint} is of a run of {saved.get('epochs')} epochs, or with another teacher: "
            f"give what it was begun with, or another --run."
        )
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return saved["epoch"]
