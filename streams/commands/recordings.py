"""`vagitus score`, `embed` and `replay`: recordings, without a broker."""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from streams.commands.options import quiet_option
from streams.errors import SourceError, VagitusError
from streams.records.cry_embedding import DIMENSIONS
from streams.settings import Settings

_paths = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
SPARKS = "▁▂▃▄▅▆▇█"


@click.command()
@_paths
@_json
@quiet_option
def score(paths: tuple[Path, ...], as_json: bool, quiet: bool) -> None:
    """Score every second of recordings: the probability that an infant cries in it.

    PATHS are files (wav, flac, opus, 3gp, caf, m4a, …) or folders of them. The scores are those
    that the stream gives for the same sound. Files that cannot be read are named at the end, and
    the exit status is then 1.

    \b
    vagitus score ward.wav
    vagitus score recordings/ --json | jq -c '[.path, (.seconds | max)]'
    """
    from streams.offline import OfflineScorer

    models, settings = _models()
    scorer = OfflineScorer(models.detector, settings)
    failures = []
    for path in _progress(_files(paths), "Scoring", quiet):
        try:
            seconds = scorer.scores(path)
        except SourceError as error:
            failures.append(str(error))
            continue
        if as_json:
            click.echo(json.dumps({"path": str(path), "seconds": seconds}))
        else:
            trace = "".join(SPARKS[min(7, int(8 * s))] for s in seconds)
            crying = sum(s >= settings.onset_score for s in seconds)
            click.echo(f"{path}  {crying} of {len(seconds)} s cry  {trace}")
    _report(failures)


@click.command()
@_paths
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.npz",
    help="Where to write `paths` and `embeddings` (float32 [files, 192]).",
)  # fmt: skip
@quiet_option
def embed(paths: tuple[Path, ...], out: Path, quiet: bool) -> None:
    """Embed recordings: who cries, as 192 numbers of unit length each.

    A recording's embedding is the normalized mean over its cry segments; one without a cry is
    embedded whole.

    \b
    vagitus embed recordings/ --out cries.npz
    """
    if not out.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    from streams.offline import OfflineScorer, embed_recording

    models, settings = _models()
    scorer = OfflineScorer(models.detector, settings)
    names, embeddings, failures = [], [], []
    for path in _progress(_files(paths), "Embedding", quiet):
        try:
            embeddings.append(embed_recording(scorer, models, path))
            names.append(str(path))
        except SourceError as error:
            failures.append(str(error))
    stacked = np.array(embeddings, dtype=np.float32).reshape(-1, DIMENSIONS)
    with out.open("wb") as file:
        np.savez(file, paths=np.array(names), embeddings=stacked)
    click.echo(f"{len(names)} embeddings written to {out}")
    _report(failures)


@click.command()
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_json
@click.option("--timeline", "url", metavar="URL",
              help="Also keep every cry there: sqlite:///FILE or postgresql://…")  # fmt: skip
@quiet_option
def replay(manifest: Path, as_json: bool, url: str | None, quiet: bool) -> None:
    """Replay recordings in time order, as if their infants had lain on the ward.

    MANIFEST is a CSV file with the columns `path,infant,recorded_at` (paths relative to it). Each
    recording goes through segmenting, embedding, deviation and gate; each gives one line.

    \b
    vagitus replay manifest.csv --json | jq -c '[.recorded_at, .sigma]'
    vagitus replay manifest.csv --timeline sqlite:///replayed.sqlite3
    vagitus timeline --timeline sqlite:///replayed.sqlite3
    """
    from streams.offline import read_manifest
    from streams.offline import replay as replay_rows

    models, settings = _models()
    rows = read_manifest(manifest)
    if not rows:
        raise VagitusError(f"{manifest} has no row with a path, an infant and a time.")
    failures = []
    results = replay_rows(rows, models, settings, *_writers(url))
    for result in _progress(results, "Replaying", quiet, len(rows)):
        if isinstance(result, SourceError):
            failures.append(str(result))
        elif as_json:
            click.echo(json.dumps(dataclasses.asdict(result)))
        else:
            sigma = "    -" if result.sigma is None else f"{result.sigma:+5.1f}"
            p_value = "    -" if result.p_value is None else f"{result.p_value:.3f}"
            click.echo(
                f"{result.recorded_at}  {result.infant[:24]:24}  {result.state:9} "
                f"sigma {sigma}  p {p_value}  {result.gate} ({result.reason})"
            )
    _report(failures)


def _writers(url: str | None) -> list:
    """What takes the cries of a replay, if anything shall."""
    if url is None:
        return []
    from streams.timeline.store import TimelineStore

    return [TimelineStore(url).write]


def _models():
    from streams.app import Models

    settings = Settings.read()
    return Models.load(settings), settings


def _files(paths: tuple[Path, ...]) -> list[Path]:
    from streams.sources.files import SUFFIXES

    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES)
            files += sorted(inside)
        else:
            files.append(path)
    if not files:
        raise SourceError("There are no recordings in the folders given.")
    return files


def _progress(items: Iterable, description: str, quiet: bool, total: int | None = None) -> Iterator:
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    return track(items, description, total=total, console=console, disable=hidden, transient=True)


def _report(failures: list[str]) -> None:
    for failure in failures:
        click.echo(f"vagitus: {failure}", err=True)
    if failures:
        raise VagitusError(f"{len(failures)} of the recordings could not be used.")
