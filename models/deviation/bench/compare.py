"""`vagitus-train ward compare`: every detector on the same embeddings, and the page of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from models.detector.paper.rows import RowStore
from models.deviation.baseline import RULES
from models.deviation.bench import page, simulation
from models.deviation.bench.contestants import CONTESTANTS, Contestant, Wards, cost
from models.deviation.bench.harness import Known
from models.deviation.bench.options import page_option, run_option
from models.deviation.bench.protocol import Corpus, Kind, figures, folds
from models.deviation.fit import read_embedder, read_paths, read_rows, unseen_infants
from models.deviation.population import WardError

# Folds and deviations are drawn so often: one draw's AUC moves by some 0.02.
REPEATS = 2
TABLE = "detectors"
ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "deviation" / "detectors.md"


@click.command("compare")
@click.argument("embeddings", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--split",
    "splits",
    multiple=True,
    default=("train", "val"),
    show_default=True,
    help="Rows of these splits are used; repeat for more. `test` is for the last look.",
)
@click.option("--repeats", default=REPEATS, show_default=True, help="Draws of folds and others.")
@run_option("Finished rows are kept here; an interrupted run goes on after the last.")
@page_option(PAGE, "docs/deviation/detectors.md")
@click.option("--only", multiple=True, help="Measure these rows only; repeat for more.")
def command(
    embeddings: Path,
    splits: tuple[str, ...],
    repeats: int,
    folder: Path,
    target: Path,
    only: tuple[str, ...],
) -> None:
    """Measure every detector on EMBEDDINGS and on made-up infants, and write the page.

    EMBEDDINGS is what `vagitus-train embedder embeddings` writes.
    """
    chosen = [c for c in CONTESTANTS if not only or c.name in only]
    if unknown := set(only) - {c.name for c in CONTESTANTS}:
        names = ", ".join(c.name for c in CONTESTANTS)
        raise click.UsageError(f"no row {', '.join(sorted(unknown))}; there are {names}")
    try:
        corpus = read_corpus(embeddings, splits)
        embedder = read_embedder(embeddings)
        made = list(folds(corpus, repeats))
    except (WardError, KeyError, OSError) as error:
        raise click.ClickException(f"{embeddings}: {error}") from error
    # What every row's figures depend on: all have the stream's gate.
    shared = {
        "embedder": embedder,
        "rows": hashlib.sha256(np.ascontiguousarray(corpus.known.x)).hexdigest()[:12],
        "splits": list(splits),
        "repeats": repeats,
        "rules": RULES,
    }
    nursery, known = simulation.made_up()
    wards = Wards.of(known)
    store = RowStore(folder, f"vagitus-train ward compare {embeddings}")
    for contestant in chosen:
        steps = len(made) + simulation.INFANTS
        with tqdm(total=steps, desc=contestant.name, unit="step") as bar:

            def measure(contestant: Contestant = contestant, bar: tqdm = bar) -> dict[str, object]:
                return {
                    "infants": figures(contestant, made, corpus, bar.update),
                    "simulated": simulation.figures(contestant, nursery, wards, bar.update),
                    "cost": cost(contestant, made[0].wards.fitted, corpus.known.x),
                }

            row = store.row(TABLE, contestant.name, shared, measure)
            bar.update(steps - bar.n)
        click.echo(page.line(row))
    kept = store.table(TABLE)
    same = {
        c.name: row for c in CONTESTANTS if (row := kept.get(c.name)) and row.settings == shared
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page.text(same))
    click.echo(f"{target}: {len(same)} of {len(CONTESTANTS)} rows")


def read_corpus(path: Path, splits: tuple[str, ...]) -> Corpus:
    """Recordings of the chosen splits in the order of time; see `fit.read_rows` for errors."""
    x, infants, sittings = read_rows(path, splits)
    unseen = frozenset(unseen_infants(path, splits))
    known = Known(x, np.array(infants), sittings, unseen)
    return Corpus(known, [Kind.of(name) for name in read_paths(path, splits)])
