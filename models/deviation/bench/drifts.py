"""`vagitus-train ward drift`: how soon a known drift of a synthetic infant is seen."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from tqdm import tqdm

from models.detector.paper.rows import RowStore
from models.deviation.bench import delays, drift_page
from models.deviation.bench.voices import Sizes, read_voices
from models.deviation.bench.watchers import METHODS, Method
from models.deviation.population import WardError
from models.deviation.ward import WardModel

TABLE = "drift"
ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "deviation" / "drift.md"
DEFAULTS = Sizes()


@click.command("drift")
@click.option(
    "--ward",
    "ward_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Ward model; without it the one that ships.",
)
@click.option(
    "--run",
    "folder",
    default="runs/deviation",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The embedded cries and finished rows are kept here.",
)
@click.option(
    "--page",
    "target",
    default=PAGE,
    show_default="docs/deviation/drift.md",
    type=click.Path(dir_okay=False, path_type=Path),
)
@click.option("--infants", default=DEFAULTS.infants, show_default=True)
@click.option("--usual", default=DEFAULTS.usual, show_default=True, help="Usual cries of each.")
@click.option("--drifted", default=DEFAULTS.drifted, show_default=True, help="Of each amount.")
def command(
    ward_path: Path | None, folder: Path, target: Path, infants: int, usual: int, drifted: int
) -> None:
    """Let synthetic infants drift in pitch, roughness and formants, and count cries until it shows.

    Writes the page and, beside it, a plot (SVG).
    """
    sizes = Sizes(infants, usual, drifted)
    try:
        ward = WardModel.load(ward_path)
    except WardError as error:
        raise click.ClickException(str(error)) from error
    with tqdm(total=infants, desc="synthetic infants", unit="infant") as bar:
        voices = read_voices(folder / "voices.npz", sizes, bar.update)
        bar.update(infants - bar.n)
    if ward.embedder_version != voices.embedder:
        raise click.ClickException(
            f"the ward model is for {ward.embedder_version}, the embedder is {voices.embedder}: "
            "fit the ward again"
        )
    settings = asdict(sizes) | {"embedder": voices.embedder, "ward": ward.version}
    store = RowStore(folder, "vagitus-train ward drift")
    rows = {}
    for method in METHODS:
        with tqdm(total=delays.STEPS, desc=method.name, unit="step") as bar:

            def measure(method: Method = method, bar: tqdm = bar) -> dict[str, object]:
                return delays.measure(method, voices, ward, bar.update)

            rows[method.name] = store.row(TABLE, method.name, settings, measure)
            bar.update(delays.STEPS - bar.n)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(drift_page.text(rows))
    drift_page.draw(rows, target.with_suffix(".svg"))
    click.echo(f"{target}")
