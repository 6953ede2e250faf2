"""The last step of every training: scores that mean what they say, and their figures on val."""

import json
from pathlib import Path

import click
import numpy as np

from models.corpora.labels import CRY, UNKNOWN
from models.corpora.manifest import corpus_folder
from models.detector.calibration import Calibration, fit
from models.detector.data import Seconds, load_seconds
from models.detector.evaluation import evaluate, figures, report
from models.detector.export import export_scores
from models.detector.networks.context import ContextHead

# Scores that are 0 or 1 to the last bit still have a logit.
CLIPPED = 1e-6


def finish(head: ContextHead, weights: Path, run: Path, learned_from: Seconds) -> None:
    """Calibrate the exported detector on split val, and print its figures there.

    Args:
        head: as it was exported into `weights`, not calibrated.
        weights: folder of both files; the one of scores is written anew.
        run: where the sound of the corpus is cached; `figures-val.json` is written into it.
        learned_from: the seconds of split train: cries shall be held to be as common as there.
    """
    known = learned_from.labels[learned_from.labels != UNKNOWN]
    prior = float((known == CRY).mean())
    manifest, seconds = load_seconds(corpus_folder(), "val", run)
    export_scores(head, weights, _calibrated(weights, seconds, prior))
    result = figures(evaluate(weights, seconds), seconds, manifest)
    (run / "figures-val.json").write_text(json.dumps(result, indent=1))
    click.echo(report(result, "val"))


def _calibrated(folder: Path, seconds: Seconds, prior: float) -> Calibration:
    """From the seconds of a split that was not trained on, through the exported files."""
    scores = np.clip(evaluate(folder, seconds).astype(np.float64), CLIPPED, 1 - CLIPPED)
    known = seconds.labels != UNKNOWN
    logits = np.log(scores[known] / (1 - scores[known]))
    return fit(logits, seconds.labels[known] == CRY, prior)
