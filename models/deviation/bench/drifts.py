"""`vagitus-train ward drift`: how soon a known drift of a synthetic infant is seen."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from tqdm import tqdm

from models.detector.paper.rows import Row, RowStore
from models.deviation.baseline import RULES
from models.deviation.bench import delays, drift_page, recorded
from models.deviation.bench.delays import LATE, SOON
from models.deviation.bench.options import page_option, run_option
from models.deviation.bench.voices import REPORTED_ON, Sizes, read_voices
from models.deviation.bench.watchers import METHODS, Method
from models.deviation.population import WardError
from models.deviation.ward import WardModel

TABLE, RECORDED_TABLE = "drift", "drift-recorded"
# What recorded infants are asked of.
ASKED = (drift_page.SHIPPED,)
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
@run_option("The embedded cries and finished rows are kept here.")
@page_option(PAGE, "docs/deviation/drift.md")
@click.option(
    "--embeddings",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of recorded infants (vagitus-train embedder embeddings): their false alarms as well.",
)
@click.option("--infants", default=DEFAULTS.infants, show_default=True)
@click.option("--usual", default=DEFAULTS.usual, show_default=True, help="Usual cries of each.")
@click.option("--seed", default=REPORTED_ON, show_default=True, help="Of the infants.")
def command(
    ward_path: Path | None,
    folder: Path,
    target: Path,
    embeddings: Path | None,
    infants: int,
    usual: int,
    seed: int,
) -> None:
    """Let synthetic infants drift in pitch, roughness and formants, and count cries until it shows.

    Writes the page and, beside it, a plot (SVG).
    """
    sizes = Sizes(infants, usual)
    try:
        ward = WardModel.load(ward_path)
    except WardError as error:
        raise click.ClickException(str(error)) from error
    with tqdm(total=infants, desc="synthetic infants", unit="infant") as bar:
        voices = read_voices(folder / "voices", sizes, seed, bar.update)
    if ward.embedder_version != voices.embedder:
        raise click.ClickException(
            f"the ward model is for {ward.embedder_version}, the embedder is {voices.embedder}: "
            "fit the ward again"
        )
    versions = {"embedder": voices.embedder, "ward": ward.version, "rules": RULES}
    settings = asdict(sizes) | {"seed": seed} | versions
    also = "" if embeddings is None else f" --embeddings {embeddings}"
    store = RowStore(folder, f"vagitus-train ward drift --infants {infants}{also}")
    rows, heard = {}, {}
    for method in METHODS:
        settlings = (SOON, LATE) if method.name == drift_page.SHIPPED else (SOON,)
        with tqdm(total=delays.steps(len(settlings)), desc=method.name, unit="step") as bar:

            def measure(
                method: Method = method, settlings: tuple[int, ...] = settlings, bar: tqdm = bar
            ) -> dict[str, object]:
                return delays.measure(method, voices, ward, bar.update, settlings)

            rows[method.name] = store.row(TABLE, method.name, settings, measure)
    if embeddings is not None:
        heard = _recorded(store, settings, rows, embeddings, ward)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(drift_page.text(rows, heard))
    drift_page.draw(rows, target.with_suffix(".svg"))
    click.echo(f"{target}")


def _recorded(
    store: RowStore,
    settings: dict[str, object],
    rows: dict[str, Row],
    embeddings: Path,
    ward: WardModel,
) -> dict[str, Row]:
    """By method, the false alarms on recorded infants at the limit set on synthetic ones."""
    found, heard = recorded.streams(embeddings), {}
    for method in (method for method in METHODS if method.name in ASKED):
        limit = float(rows[method.name].figures["limit"])
        with tqdm(total=len(found), desc=f"{method.name}, recorded infants", unit="kind") as bar:

            def measure(
                method: Method = method, limit: float = limit, bar: tqdm = bar
            ) -> dict[str, object]:
                return recorded.measure(method, limit, found, ward, bar.update)

            heard[method.name] = store.row(
                RECORDED_TABLE, method.name, settings | {"limit": limit}, measure
            )
    return heard
