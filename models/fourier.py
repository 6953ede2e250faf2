"""Spectra of many short frames at once, by the fastest library at hand."""

import numpy as np
from numpy.typing import NDArray
from scipy import fftpack

try:
    import cv2
except ImportError:  # the extra `fast` is not installed
    cv2 = None

# OpenCV's wheels for x86 carry Intel's IPP, which takes a third of SciPy's time. Without it, as on
# ARM, OpenCV's transform takes twice as long as SciPy's (docs/detector/log.md).
BY_OPENCV = cv2 is not None and cv2.ipp.useIPP()
if BY_OPENCV:
    cv2.setNumThreads(1)  # its others would wait for work and use a core meanwhile


def real_spectra(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Discrete Fourier transforms of real frames, their parts apart.

    Args:
        frames: float32 [frames, window], `window` even, C-contiguous; overwritten.

    Returns:
        float32 [window, frames]: 0 Hz, the real and the imaginary part of each bin, half the rate.
    """
    if BY_OPENCV:
        return cv2.transpose(cv2.dft(frames, frames, flags=cv2.DFT_ROWS))
    return fftpack.rfft(frames.T, axis=0)
