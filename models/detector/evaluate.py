"""The command `vagitus-train detector evaluate`: all tables of the detector, and a page."""

import json
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.corpora.labels import CRY, UNKNOWN
from models.corpora.manifest import CorpusError, Recording, corpus_folder
from models.detector.conditions import noise_conditions, second_infant, ward_conditions
from models.detector.data import SPLITS, Seconds, as_float, load_seconds
from models.detector.evaluation import Row, figures, report, scores_of, table, under
from models.detector.page import page_of
from models.detector.runtime import WEIGHTS, CryDetector
from models.detector.yardstick import yamnet_scores
from models.sound import SoundError

# What is mixed in, by source as the manifest names it.
NOISE_SOURCES = {
    "bedside alarms": ("icu_alarms",),
    "speech": ("asterisk_prompts", "speech"),
    "street": ("urbansound8k", "urbansound"),
}


def _sounds(
    seconds: Seconds, manifest: list[Recording], chosen: NDArray[np.bool_]
) -> list[NDArray[np.float32]]:
    """The recordings that have a chosen second, whole: float32 [samples] each."""
    return [
        as_float(seconds.waveforms[seconds.recordings == index]).reshape(-1)
        for index in np.unique(seconds.recordings[chosen])
    ]


def measured(detector: CryDetector, seconds: Seconds, manifest: list[Recording]) -> list[Row]:
    """The detector under every condition; noises are those of the same split."""
    sources = np.array([manifest[index].source for index in seconds.recordings])
    noises = {
        name: _sounds(seconds, manifest, np.isin(sources, names))
        for name, names in NOISE_SOURCES.items()
    }
    noises = {name: sounds for name, sounds in noises.items() if sounds}
    rows = [
        under(condition, detector, seconds, manifest)
        for condition in tqdm([*ward_conditions(), *noise_conditions(noises)], leave=False)
    ]
    # The silence of one infant is not silence when another cries: only cries are mixed, and only
    # they are measured against all else as it is.
    cries = second_infant(_sounds(seconds, manifest, seconds.labels == CRY))
    of_cries = np.array([manifest[index].is_cry for index in seconds.recordings])
    hidden = Seconds(
        seconds.waveforms,
        seconds.copies,
        np.where(of_cries & (seconds.labels != CRY), UNKNOWN, seconds.labels).astype(np.int8),
        seconds.recordings,
    )
    return [*rows, under(cries, detector, hidden, manifest, of_cries)]


@click.command("evaluate")
@click.option("--run", type=click.Path(path_type=Path), default="runs/detector", show_default=True,
              help="Where the corpus is cached and results are written.")  # fmt: skip
@click.option("--weights", type=click.Path(exists=True, path_type=Path), default=WEIGHTS,
              help="Folder of the ONNX files; by default those that ship.")  # fmt: skip
@click.option("--split", type=click.Choice(SPLITS), default="val", show_default=True,
              help="Choices are made on val alone; train has been learned from.")  # fmt: skip
@click.option("--yamnet", type=click.Path(path_type=Path),
              help="The published yamnet.tflite, to be measured on the same seconds.")  # fmt: skip
@click.option("--page", type=click.Path(path_type=Path),
              help="Write the page here.  [default: RUN/report-SPLIT.html]")  # fmt: skip
def command(run: Path, weights: Path, split: str, yamnet: Path | None, page: Path | None) -> None:
    """Measure the detector on a split of the corpus that VAGITUS_DATA names.

    Prints the figures of the protocol and the table of what a ward does to sound, and writes them
    with curves and score traces as one HTML page and as JSON.
    """
    run.mkdir(parents=True, exist_ok=True)
    try:
        manifest, seconds = load_seconds(corpus_folder(), split, run)
        detector = CryDetector(weights)
        scored = {
            detector.version: scores_of(detector, as_float(seconds.waveforms), seconds.recordings)
        }
        if yamnet is not None:
            scored["YAMNet"] = yamnet_scores(yamnet, seconds, manifest)
        results = {name: figures(s, seconds, manifest) for name, s in scored.items()}
        rows = measured(detector, seconds, manifest)
    except (CorpusError, SoundError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from None
    for name, result in results.items():
        click.echo(report(result, f"{split}: {name}"))
    click.echo(table(rows))
    written = {"figures": results, "conditions": [asdict(row) for row in rows]}
    (run / f"figures-{split}.json").write_text(json.dumps(written, indent=1))
    page = page or run / f"report-{split}.html"
    page.write_text(page_of(split, detector.version, seconds, manifest, scored, results, rows))
    click.echo(f"Wrote {page}.")
