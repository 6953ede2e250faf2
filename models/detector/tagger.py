"""YAMNet by its published file: hundreds of sounds, as a runtime for phones names them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from models.features import DETECTOR_RATE_HZ
from models.waveform import resample

RATE_HZ = 16_000
SAMPLES = 15_600
CLASSES = 521
# Logits under -9 all mean "surely not".
SUREST = (-9.0, 5.0)


class Tagger:
    """The published `yamnet.tflite`, one thread; needs `ai-edge-litert`.

    Raises FileNotFoundError.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise FileNotFoundError(f"there is no {path}")
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._given = self._interpreter.get_input_details()[0]["index"]
        self._got = self._interpreter.get_output_details()[0]["index"]

    def scores(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """How surely each second holds each sound.

        Args:
            waveforms: float32 [batch, samples] at 16 kHz; of each the first 15,600 are heard, and
                a shorter one ends in silence.

        Returns:
            float32 [batch, 521], each 0 to 1.
        """
        scores = np.empty((len(waveforms), CLASSES), np.float32)
        heard = waveforms[:, :SAMPLES]
        padded = np.pad(heard, ((0, 0), (0, SAMPLES - heard.shape[1])))
        for row, waveform in enumerate(padded):
            self._interpreter.set_tensor(self._given, waveform[None])
            self._interpreter.invoke()
            scores[row] = self._interpreter.get_tensor(self._got)[0]
        return scores

    def logits(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """As a detector learns them: float32 [batch, samples] at 8 kHz to [batch, 521], bounded."""
        scores = self.scores(resample(waveforms, DETECTOR_RATE_HZ, RATE_HZ))
        return np.clip(logit(scores), *SUREST)
