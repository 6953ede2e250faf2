"""What YAMNet would say of a second, read out of the student's features and added to its score.

The head learns from marks, and about nearly every recording of its own it is right: a few hard
ones say all that it learns of cats and of children at play. How surely YAMNet hears a cry is a
number for every second of any sound, so that ordinary ones too say where a cry ends. Ridge
regression (Hoerl and Kennard 1970) reads that number out of features which learned YAMNet's tags
beside cries, and the linear part of the head takes a share of it: the files stay as large and as
fast.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from models.corpora.manifest import CorpusError, corpus_folder
from models.detector.data import load_seconds
from models.detector.export import VERSION, export_scores, head_of
from models.detector.finish import finish
from models.detector.invented import inventions
from models.detector.networks.context import ContextHead
from models.detector.runtime import FEATURES_FILE, SCORES_FILE, CryDetector
from models.detector.tagger import Tagger
from models.detector.variation import heard
from models.detector.windows import HISTORY, TrainingSound
from models.detector.yardstick import CRY_CLASSES
from models.features import DETECTOR_RATE_HZ
from models.sound import SoundError

VIEWS, BATCH = 28_800, 48  # seconds to learn from, each varied in its own way
RIDGE = 100.0
# Of YAMNet's logit in that of the head. Chosen on val in all conditions: half of it gave less
# inside recordings, twice as much cost against other sounds.
SHARE = 0.4


def advised(
    head: ContextHead, weights: Path, sound: TrainingSound, tagger: Tagger, seed: int
) -> None:
    """Let `head` heed YAMNet, as far as the features that `weights` exports tell what it says.

    Args:
        head: of those features; changed in place.
        weights: folder of the exported detector.
        sound: that the detector trained on.
        tagger: YAMNet.
        seed: of what is drawn.
    """
    features, logits = _views(CryDetector(weights), sound, tagger, seed)
    scaler = StandardScaler().fit(features)
    ridge = Ridge(RIDGE).fit(scaler.transform(features), logits)
    slopes = ridge.coef_ / scaler.scale_
    bias = float(ridge.intercept_ - slopes @ scaler.mean_)
    head.take(SHARE * torch.from_numpy(slopes).float(), SHARE * bias)


def _views(
    detector: CryDetector, sound: TrainingSound, tagger: Tagger, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features of varied seconds, float32 [views, 256], and YAMNet's logit of a cry, [views]."""
    rng = np.random.default_rng([seed, 20_000])
    features, logits = [], []
    for _ in tqdm(range(VIEWS // BATCH), "Advice", leave=False):
        rows = sound.drawn(BATCH, rng)
        cut = sound.cut(rows, rng)
        may_cry = sound.labels[rows] != 0
        varied = heard(cut.waveforms, may_cry, lambda count: sound.noises(count, rng), rng)
        seconds = np.ascontiguousarray(varied[:, HISTORY:])
        features.append(detector.features(seconds, DETECTOR_RATE_HZ))
        logits.append(tagger.logits(seconds)[:, CRY_CLASSES].max(axis=1))
    return np.concatenate(features), np.concatenate(logits)


@click.command("advise")
@click.option("--yamnet", type=click.Path(exists=True, path_type=Path), required=True,
              help="The published yamnet.tflite.")  # fmt: skip
@click.option("--weights", type=click.Path(exists=True, file_okay=False, path_type=Path),
              required=True, help="Folder of an exported detector.")  # fmt: skip
@click.option("--run", type=click.Path(path_type=Path), default="runs/detector", show_default=True)
@click.option("--seed", default=0, show_default=True)
def command(yamnet: Path, weights: Path, run: Path, seed: int) -> None:
    """Let an exported detector heed what YAMNet says; `fit --yamnet` ends with it.

    Writes cry-scores.onnx in WEIGHTS anew, calibrated on split val, and leaves the features alone.
    A detector that heeds it already is refused, for it would heed it twice.
    """
    try:
        made_by = CryDetector(weights).version
        if made_by == VERSION:
            raise ValueError(f"The detector in {weights} ({made_by}) heeds YAMNet already.")
        manifest, seconds = load_seconds(corpus_folder(), "train", run)
        sound = TrainingSound(seconds, manifest, inventions())
        head = head_of(weights)
        advised(head, weights, sound, Tagger(yamnet), seed)
        # Put in its place when it is whole: without its calibration it would be taken for advised.
        with TemporaryDirectory() as folder:
            shutil.copy(weights / FEATURES_FILE, folder)
            export_scores(head, Path(folder))
            finish(head, Path(folder), run, seconds)
            shutil.copy(Path(folder) / SCORES_FILE, weights)
    except (CorpusError, SoundError, FileNotFoundError, ValueError) as error:
        raise click.ClickException(str(error)) from None
