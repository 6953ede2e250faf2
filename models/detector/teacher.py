"""The teacher: YAMNet tuned to cries, several times, each time without a part of the recordings.

Knowledge distillation (Hinton, Vinyals and Dean 2015) with cross-fitting: a teacher that has seen a
second's own label would only repeat it, errors included. So every second is judged by the teacher
that trained without its group. What no label says, a teacher still hears: the cries in recordings
that nobody marked, and where a mark is off.
"""

from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from models.corpora.labels import CRY, UNKNOWN
from models.corpora.manifest import CorpusError, Recording, corpus_folder
from models.detector.data import Seconds, as_float, load_seconds
from models.detector.invented import inventions
from models.detector.targets import TEACHER_SHIFTS, targets_of
from models.detector.variation import heard, masked, played
from models.detector.windows import HISTORY, TrainingSound
from models.detector.yamnet import EMBEDDING_SIZE, Yamnet, YamnetSpectrogram, read_yamnet
from models.features import DETECTOR_RATE_HZ
from models.sound import SoundError

FOLDS = 4
BATCH = 96
# More steps only learn the marks' errors by heart: after 600 the AUC on other groups was lower.
STEPS = 300
RATE, HEAD_RATE = 2.5e-4, 1.25e-3
WEIGHT_DECAY, DROPOUT, EMA_DECAY, LONGEST_STEP = 0.02, 0.3, 0.99, 5.0
FILE = "teacher.npz"


class Teacher(nn.Module):
    """Sound at 8 kHz to the logit of a cry: `[batch, 8000]` to `[batch]`."""

    def __init__(self, yamnet: Yamnet) -> None:
        super().__init__()
        self.spectrogram = YamnetSpectrogram()
        self.yamnet = yamnet.to(memory_format=torch.channels_last)
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * EMBEDDING_SIZE, 1))
        nn.init.zeros_(self.head[1].weight)

    def of_spectrograms(self, spectrograms: Tensor) -> Tensor:
        """From YAMNet's log-Mel, `[batch, 1, frames, 64]`."""
        last = spectrograms.contiguous(memory_format=torch.channels_last)
        moments = self.yamnet(last).mean(dim=3)
        return self.head(torch.cat([moments.mean(dim=2), moments.amax(dim=2)], dim=1))[:, 0]

    def forward(self, waveforms: Tensor) -> Tensor:
        return self.of_spectrograms(self.spectrogram(waveforms))


def folds_of(recordings: list[Recording], count: int, seed: int = 0) -> NDArray[np.int64]:
    """A fold for each recording: groups stay together, each sort is spread over all folds."""
    rng = np.random.default_rng(seed)
    groups: dict[str, list[int]] = {}
    for index, recording in enumerate(recordings):
        groups.setdefault(recording.group, []).append(index)
    sorts: dict[tuple[str, str, bool], list[list[int]]] = {}
    for members in groups.values():
        first = recordings[members[0]]
        sort = (first.source, first.kind, first.textgrid is not None)
        sorts.setdefault(sort, []).append(members)
    folds = np.zeros(len(recordings), np.int64)
    for sort in sorted(sorts):
        held = rng.random(count) / 2  # who is first is drawn, then the emptiest is next
        for members in sorted(sorts[sort], key=len, reverse=True):
            fold = int(held.argmin())
            folds[members] = fold
            held[fold] += len(members)
    return folds


def tune(yamnet: Path, sound: TrainingSound, steps: int, seed: int) -> Teacher:
    """A teacher from the published YAMNet, tuned on `sound`."""
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 1])
    model = Teacher(read_yamnet(yamnet))
    groups = [
        {"params": model.yamnet.parameters(), "lr": RATE},
        {"params": model.head.parameters(), "lr": HEAD_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [RATE, HEAD_RATE], total_steps=steps, pct_start=0.15
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(EMA_DECAY))
    for _ in tqdm(range(steps), "Teacher", leave=False):
        rows = sound.drawn(BATCH, rng)
        cut = sound.cut(rows, rng)
        waveforms, factors = played(cut.waveforms, sound.surely_other(rows), rng)
        shares = sound.cry_shares(rows, cut.ends, factors)
        waveforms = heard(waveforms, shares > 0, lambda n: sound.noises(n, rng), rng)
        with torch.no_grad():
            spectrograms = model.spectrogram(torch.from_numpy(waveforms[:, HISTORY:]))
        varied = torch.from_numpy(masked(spectrograms[:, 0].numpy(), rng))[:, None]
        target, weight = (torch.from_numpy(part) for part in targets_of(shares))
        loss = nn.functional.binary_cross_entropy_with_logits(
            model.of_spectrograms(varied), target, weight
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), LONGEST_STEP)
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
    return average.module.eval()


@torch.inference_mode()
def opinions(teacher: Teacher, seconds: Seconds, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """What a teacher thinks of seconds `rows`, at eight offsets into each: float32 [rows, 8].

    The last second of a recording has no later offset: there it is judged as it is.
    """
    flat = seconds.waveforms.reshape(-1)
    last = np.searchsorted(seconds.recordings, seconds.recordings, side="right") - 1
    logits = np.empty((len(rows), TEACHER_SHIFTS), np.float32)
    for shift in range(TEACHER_SHIFTS):
        starts = rows * DETECTOR_RATE_HZ + shift * DETECTOR_RATE_HZ // TEACHER_SHIFTS
        starts = np.minimum(starts, last[rows] * DETECTOR_RATE_HZ)
        for part in np.array_split(np.arange(len(rows)), len(rows) // 128 + 1):
            waveforms = as_float(flat[starts[part, None] + np.arange(DETECTOR_RATE_HZ)])
            logits[part, shift] = teacher(torch.from_numpy(waveforms)).numpy()
    return logits


def subset(seconds: Seconds, rows: NDArray[np.int64]) -> Seconds:
    """Only these seconds; whole recordings, in order."""
    return Seconds(
        seconds.waveforms[rows],
        seconds.copies[rows],
        seconds.labels[rows],
        seconds.recordings[rows],
    )


@click.command("teach")
@click.option("--yamnet", type=click.Path(path_type=Path), required=True,
              help="The published yamnet.tflite, to begin with.")  # fmt: skip
@click.option("--run", type=click.Path(path_type=Path), default="runs/detector", show_default=True)
@click.option("--steps", default=STEPS, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=2, show_default=True)
def command(yamnet: Path, run: Path, steps: int, seed: int, threads: int) -> None:
    """Tune YAMNet to cries and write what it thinks of every training second.

    Each second is judged by a teacher that trained without its group. The result, RUN/teacher.npz,
    is what `fit --teacher` learns from. A run that was interrupted goes on from its last fold.
    """
    torch.set_num_threads(threads)
    run.mkdir(parents=True, exist_ok=True)
    try:
        manifest, seconds = load_seconds(corpus_folder(), "train", run)
        folds = folds_of(manifest, FOLDS, seed)[seconds.recordings]
        logits = np.full((len(folds), TEACHER_SHIFTS), np.nan, np.float32)
        for fold in range(FOLDS):
            judged = np.flatnonzero(folds == fold)
            part = run / f"teacher-{fold}.npy"
            if not part.exists():
                learned = subset(seconds, np.flatnonzero(folds != fold))
                sound = TrainingSound(learned, manifest, inventions())
                teacher = tune(yamnet, sound, steps, seed + fold)
                np.save(part, opinions(teacher, seconds, judged))
            logits[judged] = np.load(part)
    except (CorpusError, SoundError, FileNotFoundError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    np.savez(run / FILE, logits=logits)
    known = seconds.labels != UNKNOWN
    auc = roc_auc_score(seconds.labels[known] == CRY, logits[known, 0])
    click.echo(f"Teacher on groups that it did not train on: AUC {auc:.4f}. Wrote {run / FILE}.")
