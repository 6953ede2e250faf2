"""YAMNet's cry scores of the same seconds, to compare with; needs `ai-edge-litert` and its file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models import sound
from models.corpora.manifest import Recording
from models.detector.data import Seconds

RATE_HZ = 16_000
SAMPLES = 15_600
# "Crying, sobbing" and "Baby cry, infant cry" of its 521 classes.
CRY_CLASSES = (19, 20)


def yamnet_scores(path: Path, seconds: Seconds, manifest: list[Recording]) -> NDArray[np.float32]:
    """The larger of its two cry scores of every second, from the sound at 16 kHz: [seconds].

    Raises FileNotFoundError.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}")
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    got = interpreter.get_output_details()[0]["index"]
    scores = np.empty(len(seconds.labels), np.float32)
    for recording in tqdm(np.unique(seconds.recordings), "YAMNet", leave=False):
        waveform, _ = sound.read(manifest[recording].path, RATE_HZ)
        for place, row in enumerate(np.flatnonzero(seconds.recordings == recording)):
            piece = waveform[place * RATE_HZ :][:SAMPLES]
            interpreter.set_tensor(given, np.pad(piece, (0, SAMPLES - piece.size))[None])
            interpreter.invoke()
            scores[row] = max(interpreter.get_tensor(got)[0, c] for c in CRY_CLASSES)
    return scores
