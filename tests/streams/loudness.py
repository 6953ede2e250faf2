"""A detector whose scores a test can foresee: it hears loudness, with context as the real one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.hearing.arrival import Arrival
from streams.records.audio_chunk import AudioChunk
from streams.records.sound import Codec


class LoudnessDetector:
    """Scores the last second's loudness, drawn a little towards the mean of its context."""

    version = "loudness-1"
    context_seconds = 3
    feature_size = 4

    def features(self, waveforms: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float32]:
        loudness = np.abs(waveforms).max(axis=1)
        return np.repeat(loudness[:, None], self.feature_size, axis=1).astype(np.float32)

    def window(self, history: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        last = list(history)[-self.context_seconds :]
        return np.stack([last[0]] * (self.context_seconds - len(last)) + last)

    def scores(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        loudness = windows[:, :, 0]
        return 0.8 * loudness[:, -1] + 0.2 * loudness.mean(axis=1)


def arrival(
    monitor: str,
    second: float,
    loudness: float,
    offset: int,
    *,
    partition: int = 0,
    sample_rate_hz: int = 8000,
    start_ms: int = 1_700_000_000_000,
) -> Arrival:
    """The chunk of one second at a loudness that the detector above scores."""
    waveform = np.full(sample_rate_hz, loudness, np.float32)
    captured_at_ms = start_ms + round(1000 * second)
    chunk = AudioChunk.from_waveform(
        monitor=monitor,
        sequence=captured_at_ms // 1000,
        captured_at_ms=captured_at_ms,
        waveform=waveform,
        sample_rate_hz=sample_rate_hz,
        codec=Codec.PCM,
    )
    return Arrival(chunk, waveform, partition, offset)
