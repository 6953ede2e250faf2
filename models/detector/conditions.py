"""What a ward does to sound, one thing at a time and always the same: the rows of a table.

Each condition changes a whole recording, cries or not, at 8 kHz. What is random in it (a room, a
piece of noise) is drawn from a generator that the recording's number seeds, so that two models
hear the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.augment import band_limited, in_room, through_codec
from models.features import DETECTOR_RATE_HZ
from models.waveform import resample

Sound = NDArray[np.float32]
# A recording's level is that of its loud seconds: many hold a cry and much silence.
LOUD_PERCENTILE = 95.0
QUIETEST = 1e-4


@dataclass(frozen=True)
class Condition:
    """One row of the table.

    Attributes:
        name: of the row.
        change: a recording, float32 [samples], and its generator to as many samples.
        shift_seconds: so much of the beginning is left out, and the labels move along.
    """

    name: str
    change: Callable[[Sound, np.random.Generator], Sound]
    shift_seconds: float = 0.0


def loudness(waveform: Sound) -> float:
    """Root mean square of the loud seconds of float32 [samples]; at least 1e-4."""
    seconds = np.array_split(waveform, max(1, waveform.size // DETECTOR_RATE_HZ))
    levels = [np.sqrt(np.mean(second**2)) for second in seconds]
    return max(QUIETEST, float(np.percentile(levels, LOUD_PERCENTILE)))


def ward_conditions() -> list[Condition]:
    """Level, clipping, band, codec, room, distance and the cut, each by itself."""
    return [
        Condition("as it is", lambda wave, rng: wave),
        *(Condition(f"peak at {level} dBFS", _peak_at(level)) for level in (0, -20, -40)),
        Condition("clipped by 12 dB", lambda wave, rng: _peak_at(12)(wave, rng)),
        Condition("band limit 4 kHz, twice resampled", _resampled),
        Condition("band limit 2.5 kHz", lambda w, rng: band_limited(w[None], rng, (2500, 2500))[0]),
        *(Condition(name, _coded(codec)) for name, codec in CODEC_ROWS),
        Condition("reverberation 0.6 s", lambda wave, rng: _room(wave, rng, 0.6, 3.0)),
        Condition("three metres away", _far),
        Condition("cut half a second later", lambda wave, rng: wave, shift_seconds=0.5),
    ]


CODEC_ROWS = (("Opus at 16 kb/s", "opus"), ("AMR-NB at 12.2 kb/s", "amr-nb"))


def noise_conditions(
    noises: dict[str, Sequence[Sound]], snr_db: Sequence[float] = (5.0, 0.0)
) -> list[Condition]:
    """Sounds of each named kind behind every recording, at each ratio to its loud seconds."""
    return [
        Condition(f"{name} at {ratio:g} dB SNR", _mixed(sounds, ratio))
        for name, sounds in noises.items()
        for ratio in snr_db
    ]


def second_infant(cries: Sequence[Sound]) -> Condition:
    """Another infant's cry over every recording, equally loud: only for seconds that are cries."""
    return Condition("two infants at once", _mixed(cries, 0.0))


def _peak_at(decibels: float) -> Callable[[Sound, np.random.Generator], Sound]:
    def change(wave: Sound, rng: np.random.Generator) -> Sound:
        peak = max(QUIETEST, float(np.abs(wave).max()))
        scaled = np.clip(wave * 10 ** (decibels / 20) / peak, -1, 1)
        # As 16-bit sound: what is turned down loses its last bits.
        return (np.rint(scaled * 32767) / 32767).astype(np.float32)

    return change


def _resampled(wave: Sound, rng: np.random.Generator) -> Sound:
    """From a monitor at 16 kHz that was recorded at 8 kHz."""
    return resample(resample(wave, DETECTOR_RATE_HZ, 16_000), 16_000, DETECTOR_RATE_HZ)


def _coded(codec: str) -> Callable[[Sound, np.random.Generator], Sound]:
    return lambda wave, rng: through_codec(wave, DETECTOR_RATE_HZ, codec)


def _room(wave: Sound, rng: np.random.Generator, decay: float, direct_db: float) -> Sound:
    return in_room(wave[None], rng, (decay, decay), (direct_db, direct_db))[0]


def _far(wave: Sound, rng: np.random.Generator) -> Sound:
    """More room than infant, 15 dB quieter than close by, over a room's own noise."""
    heard = _room(wave, rng, 0.5, -5.0) * 10 ** (-15 / 20)
    noise = 10 ** (-20 / 20) * loudness(heard) * rng.standard_normal(wave.size)
    return (heard + noise).astype(np.float32)


def _mixed(sounds: Sequence[Sound], snr_db: float) -> Callable[[Sound, np.random.Generator], Sound]:
    def change(wave: Sound, rng: np.random.Generator) -> Sound:
        noise = sounds[rng.integers(len(sounds))]
        start = rng.integers(noise.size)
        looped = np.resize(np.roll(noise, -start), wave.size)
        gain = loudness(wave) / loudness(looped) * 10 ** (-snr_db / 20)
        return np.clip(wave + gain * looped, -1, 1).astype(np.float32)

    return change
