"""Trains the detector that ships: backbone, head, advice, calibration, export."""

import csv
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from models.corpora.manifest import CorpusError, corpus_folder
from models.detector.advice import advised
from models.detector.backbone import TeacherOpinions, mean_of, train_backbone
from models.detector.data import Seconds, load_seconds
from models.detector.export import export, export_scores
from models.detector.finish import finish
from models.detector.head import train_head
from models.detector.invented import inventions
from models.detector.tagger import Tagger
from models.detector.windows import TrainingSound
from models.sound import SoundError

# In training, sounds are 9 dB softer on average than recorded, for they may be much softer and
# hardly louder. Heard at the middle of that range they are told apart best: single seconds of val
# AUC 0.983 against 0.979, of train best F1 0.958 against 0.950.
SOFTER_DB = 10.0
EPOCHS = (24, 20, 20, 20)


def _teacher_logits(paths: tuple[Path, ...], seconds: Seconds) -> NDArray[np.float32] | None:
    """The mean opinion of all teachers."""
    opinions = []
    for path in paths:
        with np.load(path) as arrays:
            opinions.append(arrays["logits"])
        if len(opinions[-1]) != len(seconds.labels):
            raise click.ClickException(
                f"{path} judges {len(opinions[-1])} seconds, but this corpus has "
                f"{len(seconds.labels)}: run `vagitus-train detector teach` again."
            )
    return np.mean(opinions, axis=0) if opinions else None


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
@click.option("--teacher", type=click.Path(exists=True, path_type=Path), multiple=True,
              help="What `teach` wrote; the mean of several; else marks alone.")  # fmt: skip
@click.option("--yamnet", type=click.Path(path_type=Path),
              help="The published yamnet.tflite: its tags are learned and heeded.")  # fmt: skip
@click.option("--epochs", default=EPOCHS, show_default=True, multiple=True,
              help="Of the backbone; each one more is another cycle.")  # fmt: skip
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=2, show_default=True)
def command(
    run: Path,
    weights: Path | None,
    teacher: tuple[Path, ...],
    yamnet: Path | None,
    epochs: tuple[int, ...],
    seed: int,
    threads: int,
) -> None:
    """Train the detector that ships, on the corpus that VAGITUS_DATA names.

    A run that was interrupted goes on from its last epoch. Its log is RUN/log.csv. The scores are
    calibrated on split val, for cries as common as in split train; `evaluate` measures the rest.
    """
    torch.set_num_threads(threads)
    run.mkdir(parents=True, exist_ok=True)
    target = weights or run
    try:
        manifest, seconds = load_seconds(corpus_folder(), "train", run)
        logits = _teacher_logits(teacher, seconds)
        tagger = Tagger(yamnet) if yamnet is not None else None
        sound = TrainingSound(seconds, manifest, inventions())
        opinions = TeacherOpinions(logits, sound)

        def log(row: dict[str, object]) -> None:
            _log(run, row)

        done: list[Path] = []
        for cycle, count in enumerate(epochs):
            checkpoint, start = run / f"backbone-{cycle + 1}.pt", done[-1] if done else None
            train_backbone(sound, opinions, tagger, checkpoint, count, seed + cycle, log, start)
            done.append(checkpoint)
        # The first two cycles are still on their way.
        model = mean_of(done[2:] or done)
        head = train_head(model, sound, opinions, seed, log)
        model.backbone.turn_down(SOFTER_DB)
        export(model.backbone, head, target)
        if tagger is not None:
            advised(head, target, sound, tagger, seed)
            export_scores(head, target)
        finish(head, target, run, seconds)
    except (CorpusError, SoundError, FileNotFoundError, ValueError) as error:
        raise click.ClickException(str(error)) from None
