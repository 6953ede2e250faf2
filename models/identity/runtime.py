"""Embeds cries as the running system does: numpy features, ONNX, no torch.

The network was trained on 80 log-Mel energies at 16 kHz with their mean over the sound removed
(`models/features.py`); that mean carries the loudness and the colour of the microphone, which say
where a cot stands rather than who cries in it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from models.features import fbank80
from models.waveform import resample

SAMPLE_RATE_HZ = 16_000
EMBEDDING_SIZE = 192
# Under half a second there is hardly one expiratory cry (0.5 s to 1.5 s in healthy infants).
MIN_SECONDS = 0.5
# Bounds the memory of one call: attention needs all frames of a piece at once.
MAX_PIECE_SECONDS = 60.0
DEFAULT_WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "cry-embedder.onnx"
VERSION_KEY = "version"


class CryEmbedder:
    """Turns a cry into a 192-d identity embedding of unit length.

    `weights` is an ONNX file (None: the one that ships with the package), `threads` the number of
    threads that one call may use.

    Raises:
        FileNotFoundError: there is no file at `weights`.
        ValueError: the file is no embedder.
    """

    def __init__(self, weights: Path | None = None, threads: int = 1) -> None:
        path = weights or DEFAULT_WEIGHTS
        if not path.is_file():
            raise FileNotFoundError(f"the embedder's weights are missing: {path}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # A worker holds several models: spinning threads of one would starve the others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        metadata = self._session.get_modelmeta().custom_metadata_map
        if VERSION_KEY not in metadata:
            raise ValueError(f"{path} carries no version: it is no embedder of this project")
        self.version: str = metadata[VERSION_KEY]
        self._input = self._session.get_inputs()[0].name

    def embed(self, waveform: np.ndarray, sample_rate_hz: int) -> np.ndarray:
        """Embed one cry: float32 [samples] -> float32 [192], L2-normalized.

        Give it the cry alone, 0.5 s to 60 s of it: what else is in the sound is embedded too. A
        longer sound is cut into equal pieces of at most 60 s whose embeddings are averaged.

        Raises:
            ValueError: the sound is not one-dimensional, is shorter than `MIN_SECONDS`, has a
                sample that is not finite, or its rate is not positive.
        """
        waveform = np.asarray(waveform, dtype=np.float32)
        if waveform.ndim != 1:
            raise ValueError(f"one mono waveform is needed, not an array of {waveform.shape}")
        if sample_rate_hz <= 0:
            raise ValueError(f"a sample rate of {sample_rate_hz} Hz is impossible")
        if waveform.size < MIN_SECONDS * sample_rate_hz:
            raise ValueError(
                f"{waveform.size / sample_rate_hz:.2f} s of sound is too short to embed: "
                f"{MIN_SECONDS} s are needed"
            )
        if not np.isfinite(waveform).all():
            raise ValueError("the waveform has samples that are not finite")
        if sample_rate_hz != SAMPLE_RATE_HZ:
            waveform = resample(waveform[None], sample_rate_hz, SAMPLE_RATE_HZ)[0]
        pieces = -(-waveform.size // int(MAX_PIECE_SECONDS * SAMPLE_RATE_HZ))
        embeddings = [self._embed_piece(piece) for piece in np.array_split(waveform, pieces)]
        return unit_length(np.mean(embeddings, axis=0))

    def _embed_piece(self, waveform: np.ndarray) -> np.ndarray:
        features = centred_features(waveform)
        return unit_length(self._session.run(None, {self._input: features[None]})[0][0])


def centred_features(waveform: np.ndarray) -> np.ndarray:
    """What the network sees: float32 [samples] at 16 kHz -> float32 [frames, 80], mean 0 a mel."""
    features = fbank80(waveform)
    return (features - features.mean(axis=0)).astype(np.float32)


def unit_length(embeddings: np.ndarray) -> np.ndarray:
    """Scale to unit length along the last axis: float [..., n] -> float32 [..., n]."""
    norms = np.linalg.norm(embeddings, axis=-1, keepdims=True)
    # Zero has no direction: leave it zero rather than divide by it.
    return (embeddings / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32)
