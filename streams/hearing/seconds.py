"""What is heard in each second of a batch: the detector's features, and what a meter would show."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.detector.runtime import CryDetector
from models.waveform import clipped_fractions, levels_dbfs
from streams.hearing.arrival import Arrival

# Waveforms that stay in the cache while they are measured; the detector takes as many.
AT_ONCE = 16


def hear(
    detector: CryDetector, arrivals: Sequence[Arrival]
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Features [chunks, 256], and of each chunk the level in dBFS and the share clipped."""
    features = np.empty((len(arrivals), detector.feature_size), np.float32)
    levels, clipped = np.empty(len(arrivals)), np.empty(len(arrivals))
    rates = np.array([arrival.chunk.sample_rate_hz for arrival in arrivals])
    for rate in np.unique(rates):
        of_rate = np.flatnonzero(rates == rate)
        for start in range(0, len(of_rate), AT_ONCE):
            rows = of_rate[start : start + AT_ONCE]
            waveforms = np.stack([arrivals[row].waveform for row in rows])
            features[rows] = detector.features(waveforms, int(rate))
            levels[rows] = levels_dbfs(waveforms)
            clipped[rows] = clipped_fractions(waveforms)
    return features, levels, clipped
