"""The command `vagitus-train detector paper`: the paper's tables, row by row."""

import sys
from pathlib import Path

import click
import torch

from models.corpora.manifest import CorpusError, corpus_folder
from models.detector.networks import BACKBONES
from models.detector.paper.experiments import TABLES
from models.detector.paper.laboratory import Laboratory
from models.detector.paper.rows import RowStore
from models.detector.paper.standalone import EPOCHS
from models.detector.paper.tables import text_of
from models.sound import SoundError


@click.command("paper")
@click.argument("table", type=click.Choice([*TABLES, "all"]))
@click.option("--row", "chosen", multiple=True, help="Only this row; may be given again.")
@click.option("--run", type=click.Path(path_type=Path), default="runs/paper", show_default=True)
@click.option("--backbone", type=click.Choice(list(BACKBONES)), default="shufflenet-0.5",
              show_default=True, help="Of tables 3 to 5.")  # fmt: skip
@click.option("--epochs", default=EPOCHS, show_default=True, help="Of standalone classifiers.")
@click.option("--steps", default=20_000, show_default=True, help="Of multiple-instance networks.")
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=2, show_default=True)
def command(
    table: str,
    chosen: tuple[str, ...],
    run: Path,
    backbone: str,
    epochs: int,
    steps: int,
    seed: int,
    threads: int,
) -> None:
    """Measure a table of Tan, Yao and Liu (2023) on the corpus that VAGITUS_DATA names.

    Every row is trained, measured and stored in RUN/rows. What is there already with the same
    settings is not done again, and a training that was interrupted goes on.
    """
    torch.set_num_threads(threads)
    store = RowStore(run / "rows", " ".join(["vagitus-train", *sys.argv[1:]]))
    try:
        lab = Laboratory(corpus_folder(), run, backbone, epochs, steps, seed)
        for name in TABLES if table == "all" else [table]:
            build, rows = TABLES[name]
            for row in chosen or rows:
                experiment = build(lab, row)
                store.row(name, row, experiment.settings, experiment.measure)
                click.echo(text_of(name, store.table(name), rows))
    except (CorpusError, SoundError, ValueError) as error:
        raise click.ClickException(str(error)) from None
