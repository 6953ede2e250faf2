"""The room between an infant and its microphone."""

import numpy as np
from scipy.signal import oaconvolve


class Room:
    """A diffuse room: the direct sound, then a tail of noise that decays exponentially.

    Polack (1988) describes the late part of a room's response as exactly this; the first
    reflections, which it leaves out, matter little at an arm's length.
    """

    def __init__(self, rng: np.random.Generator, sample_rate_hz: int = 16_000) -> None:
        decay_seconds = rng.uniform(0.25, 0.5)  # to -60 dB; incubators and curtains are soft
        t = np.arange(round(0.7 * decay_seconds * sample_rate_hz)) / sample_rate_hz
        tail = rng.standard_normal(t.size) * 10.0 ** (-3.0 * t / decay_seconds)
        tail[: round(0.003 * sample_rate_hz)] = 0.0
        tail *= 10.0 ** (rng.uniform(-20.0, -12.0) / 20.0) / np.sqrt(np.sum(tail**2))
        tail[0] = 1.0
        self._response = tail.astype(np.float32)

    def heard(self, waveform: np.ndarray) -> np.ndarray:
        """The sound at the microphone: float32 [samples], as long as float32 [samples] put in."""
        return oaconvolve(waveform, self._response)[: waveform.size].astype(np.float32)
