"""The command `vagitus-train detector paper`: the paper's tables, row by row."""

import sys
from pathlib import Path

import click
import torch

from models.corpora.manifest import CorpusError, corpus_folder
from models.detector.mil.bags import SIZES
from models.detector.mil.temporal import REFINEMENTS
from models.detector.networks import BACKBONES
from models.detector.paper.experiments import TABLES
from models.detector.paper.laboratory import LOSSES, Laboratory, Settings
from models.detector.paper.page import page_of
from models.detector.paper.rows import RowStore
from models.detector.paper.tables import text_of
from models.detector.vggish.weights import WeightsError
from models.sound import SoundError


@click.command("paper")
@click.argument("table", type=click.Choice([*TABLES, "all", "page"]))
@click.option("--row", "chosen", multiple=True, help="Only this row; may be given again.")
@click.option("--run", type=click.Path(path_type=Path), default="runs/paper", show_default=True)
@click.option("--page", type=click.Path(path_type=Path), default="docs/detector/paper.md",
              show_default=True, help="Where `page` writes.")  # fmt: skip
@click.option("--backbone", type=click.Choice(list(BACKBONES)), default=Settings.backbone,
              show_default=True, help="Of tables 3 to 5.")  # fmt: skip
@click.option("--epochs", default=Settings.epochs, show_default=True,
              help="Of a standalone classifier.")  # fmt: skip
@click.option("--steps", default=Settings.steps, show_default=True,
              help="Of a network over bags.")  # fmt: skip
@click.option("--bag-size", type=click.Choice([str(size) for size in SIZES]),
              default=str(Settings.bag_size), show_default=True,
              help="Instances of an untrimmed recording.")  # fmt: skip
@click.option("--loss", type=click.Choice(list(LOSSES)), default=Settings.loss, show_default=True,
              help="Of a network over bags: equation 6 or equation 3.")  # fmt: skip
@click.option("--refinement", type=click.Choice(list(REFINEMENTS)), default=Settings.refinement,
              show_default=True, help="Of a network over bags.")  # fmt: skip
@click.option("--vggish", type=click.Path(path_type=Path),
              help="Published weights; otherwise a stand-in is trained.")  # fmt: skip
@click.option("--stand-in-epochs", default=Settings.stand_in_epochs, show_default=True)
@click.option("--seed", default=Settings.seed, show_default=True)
@click.option("--threads", default=2, show_default=True)
def command(
    table: str,
    chosen: tuple[str, ...],
    run: Path,
    page: Path,
    bag_size: str,
    threads: int,
    **settings: object,
) -> None:
    """Measure a table of Tan, Yao and Liu (2023) on the corpus that VAGITUS_DATA names.

    Every row is trained, measured and stored in RUN/rows. What is there already with the same
    settings is not done again, and a training that was interrupted goes on. `page` writes the
    stored rows of all tables as a page.
    """
    torch.set_num_threads(threads)
    store = RowStore(run / "rows", " ".join(["vagitus-train", *sys.argv[1:]]))
    if table == "page":
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(page_of({name: store.table(name) for name in TABLES}))
        click.echo(f"Wrote {page}.")
        return
    try:
        lab = Laboratory(corpus_folder(), run, Settings(bag_size=int(bag_size), **settings))
        for name in TABLES if table == "all" else [table]:
            build, rows = TABLES[name]
            for row in chosen or rows:
                if row not in rows:
                    raise click.BadParameter(f"{name} has the rows {', '.join(rows)}.")
                experiment = build(lab, row)
                store.row(name, row, experiment.settings, experiment.measure)
            click.echo(text_of(name, store.table(name), rows))
    except (CorpusError, SoundError, WeightsError, ValueError) as error:
        raise click.ClickException(str(error)) from None
