"""Cuts a recording into the whole seconds that the stream is made of."""

import numpy as np
from numpy.typing import NDArray

KEPT_REMAINDER_SECONDS = 0.5
"""A last piece this long is padded to a second; a shorter one would be mostly padding."""


def cut_seconds(waveform: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float32]:
    """Cuts float32 [samples] into float32 [seconds, sample_rate_hz], one row a second.

    What is left over at the end becomes a second of its own, padded with zeros, if it lasts half a
    second or more; otherwise it is dropped. So a recording under half a second gives no rows.
    """
    whole, rest = divmod(len(waveform), sample_rate_hz)
    if rest >= KEPT_REMAINDER_SECONDS * sample_rate_hz:
        whole += 1
        waveform = np.pad(waveform, (0, sample_rate_hz - rest))
    return waveform[: whole * sample_rate_hz].reshape(whole, sample_rate_hz)
