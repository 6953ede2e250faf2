"""How much faster the numpy log-Mel is than librosa's, on the same batches in one run.

    python bench/log_mel.py
    OPENCV_IPP=disabled python bench/log_mel.py     # as without the extra `fast`

Both run on one thread; the best of several rounds counts, taken in turn, so that other work on the
machine meets both alike.
"""

import os

# Before numpy is loaded: BLAS reads it once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
from collections.abc import Callable

import librosa
import numpy as np
from numpy.typing import NDArray

from models.features import (
    DETECTOR_HOP,
    DETECTOR_MELS,
    DETECTOR_RATE_HZ,
    DETECTOR_WINDOW,
    LONG_HOP,
    LONG_SECONDS,
    LONG_WINDOW,
    POWER_FLOOR,
    log_mel,
    log_mel_5s,
)
from models.fourier import BY_OPENCV

BATCHES = (1, 16, 64)
ROUNDS = 15


def by_librosa(waveforms: NDArray[np.float32], window: int, hop: int) -> NDArray[np.float32]:
    """What `models.features` is defined by."""
    mels = librosa.feature.melspectrogram(
        y=waveforms,
        sr=DETECTOR_RATE_HZ,
        n_fft=window,
        hop_length=hop,
        n_mels=DETECTOR_MELS,
        fmin=0,
        fmax=DETECTOR_RATE_HZ / 2,
        center=False,
    )
    return librosa.power_to_db(mels, amin=POWER_FLOOR, top_db=None)


def milliseconds(call: Callable[[], object]) -> float:
    """Of one call."""
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Print a row for each frame length and batch."""
    rng = np.random.default_rng(0)
    transform = "OpenCV" if BY_OPENCV else "SciPy"
    print(f"ms a frame, by {transform}; librosa called with the batch, or for each frame")
    print("frame  batch   ours  librosa  ratio  librosa, each  ratio  largest difference dB")
    for seconds, ours, window, hop in (
        (1, log_mel, DETECTOR_WINDOW, DETECTOR_HOP),
        (LONG_SECONDS, log_mel_5s, LONG_WINDOW, LONG_HOP),
    ):
        for batch in BATCHES:
            size = (batch, seconds * DETECTOR_RATE_HZ)
            waveforms = (0.1 * rng.normal(size=size)).astype(np.float32)
            difference = np.abs(ours(waveforms) - by_librosa(waveforms, window, hop)).max()
            calls = (
                lambda w=waveforms, f=ours: f(w),
                lambda w=waveforms, n=window, h=hop: by_librosa(w, n, h),
                lambda w=waveforms, n=window, h=hop: [by_librosa(row, n, h) for row in w],
            )
            rounds = [[milliseconds(call) for call in calls] for _ in range(ROUNDS)]
            mine, theirs, each = (min(column) / batch for column in zip(*rounds, strict=True))
            print(
                f"{seconds} s {batch:8} {mine:6.3f} {theirs:8.3f} {theirs / mine:6.1f}"
                f" {each:14.3f} {each / mine:6.1f} {difference:22.1e}"
            )


if __name__ == "__main__":
    main()
