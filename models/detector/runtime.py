"""The detector as the stream runs it: numpy and ONNX, no torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.features import DETECTOR_RATE_HZ, log_mel
from models.waveform import resample

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
FEATURES_FILE = "cry-features.onnx"
SCORES_FILE = "cry-scores.onnx"
# The convolutions of a larger batch leave the cache (0.15 ms a second at 16, 0.25 at 64); scores do
# not depend on it.
MAX_BATCH = 16


class CryDetector:
    """Scores seconds of sound: how likely an infant cries in them.

    Two steps, because a second's features are used again as the context of the next ones:
    `features` of each second by itself, then `scores` of windows of `context_seconds` features.

    Args:
        weights: folder of `cry-features.onnx` and `cry-scores.onnx`; None: the shipped ones.
        threads: of one call.

    Attributes:
        version: of the model.
        context_seconds: K, the seconds that a score looks at, the scored one last.
        feature_size: 256.

    Raises:
        FileNotFoundError: a file is missing.
    """

    def __init__(self, weights: Path | None = None, threads: int = 1) -> None:
        folder = weights or WEIGHTS
        self._features = _session(folder / FEATURES_FILE, threads)
        self._scores = _session(folder / SCORES_FILE, threads)
        self.version: str = self._scores.get_modelmeta().custom_metadata_map["version"]
        _, self.context_seconds, self.feature_size = self._scores.get_inputs()[0].shape

    def features(self, waveforms: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float32]:
        """Features of seconds: float32 [batch, sample_rate_hz] to [batch, 256]."""
        parts = [np.empty((0, self.feature_size), np.float32)]
        for start in range(0, len(waveforms), MAX_BATCH):
            part = resample(waveforms[start : start + MAX_BATCH], sample_rate_hz, DETECTOR_RATE_HZ)
            spectrograms = log_mel(part)[:, None]
            parts.append(self._features.run(None, {"log_mel": spectrograms})[0])
        return np.concatenate(parts)

    def window(self, history: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """The window that scores the last of `history` (features, [256] each): float32 [K, 256].

        A run shorter than K seconds is padded with its own first second.
        """
        last = list(history[-self.context_seconds :])
        return np.stack([last[0]] * (self.context_seconds - len(last)) + last)

    def scores(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probability of a cry in the last second of each window.

        float32 [batch, K, 256] to [batch] in 0..1.
        """
        return self._scores.run(None, {"windows": windows})[0]


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is missing in {path.parent}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A worker holds several models: spinning threads of one would starve the others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
