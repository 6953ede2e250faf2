"""Finds the cries in a recording of an infant whose name is known.

A recording that was uploaded as a cry may hold speech, a rustle or nothing. Where somebody marked
the cries by ear (a TextGrid), those stretches count; elsewhere the loud ones do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.identity.runtime import MIN_SECONDS, SAMPLE_RATE_HZ
from models.identity.verification import Owner

# Breaths between two expirations of one bout last well under a second.
LONGEST_BREATH_SECONDS = 1.0
# Without marks: blocks this long, and at most this far under the recording's loud blocks, count.
BLOCK_SECONDS = 0.1
LOUD_PERCENTILE = 95
LOUD_RANGE_DB = 15.0
# Below this there is nothing but the noise of the codec.
SILENCE_DBFS = -60.0


def marked_stretches(
    intervals: Sequence[tuple[float, float]], seconds: float
) -> list[tuple[float, float]]:
    """Join cries that only a breath divides, and leave out what is too short to embed.

    `intervals` and the result are (start, end) in seconds, in order, within 0 .. `seconds`.
    """
    joined: list[tuple[float, float]] = []
    for start, end in sorted(intervals):
        end = min(end, seconds)
        if joined and start - joined[-1][1] <= LONGEST_BREATH_SECONDS:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [(start, end) for start, end in joined if end - start >= MIN_SECONDS]


def loud_stretches(waveform: np.ndarray, sample_rate_hz: int) -> list[tuple[float, float]]:
    """The loud parts of a recording: float32 [samples] -> (start, end) in seconds, in order."""
    block = round(BLOCK_SECONDS * sample_rate_hz)
    blocks = len(waveform) // block
    if not blocks:
        return []
    power = np.square(waveform[: blocks * block]).reshape(blocks, block).mean(axis=1)
    level = 10 * np.log10(power + 1e-12)
    threshold = max(np.percentile(level, LOUD_PERCENTILE) - LOUD_RANGE_DB, SILENCE_DBFS)
    loud = [
        (i * BLOCK_SECONDS, (i + 1) * BLOCK_SECONDS) for i in np.flatnonzero(level >= threshold)
    ]
    return marked_stretches(loud, len(waveform) / sample_rate_hz)


@dataclass(frozen=True)
class CryRecording:
    """One recording of a known infant: its cries, float32 [samples] each, at 16 kHz.

    `path` names it within its corpus, `recorded_at` is ISO 8601, UTC. `likely` is false where
    nobody marked a cry and YAMNet hears none: such a recording is too doubtful to learn from.
    """

    path: str
    split: str
    recorded_at: str
    owner: Owner
    cries: list[np.ndarray]
    likely: bool


def cut_cries(
    waveform: np.ndarray, marks: Sequence[tuple[float, float]] | None
) -> list[np.ndarray]:
    """Cut the cries out of a recording at 16 kHz: float32 [samples] -> list of float32 [samples].

    `marks` are the (start, end) in seconds that somebody marked; None finds loud stretches.
    """
    if marks is None:
        stretches = loud_stretches(waveform, SAMPLE_RATE_HZ)
    else:
        stretches = marked_stretches(marks, len(waveform) / SAMPLE_RATE_HZ)
    edges = [(round(a * SAMPLE_RATE_HZ), round(b * SAMPLE_RATE_HZ)) for a, b in stretches]
    cries = [waveform[start:end] for start, end in edges]
    return [cry for cry in cries if len(cry) >= MIN_SECONDS * SAMPLE_RATE_HZ]
