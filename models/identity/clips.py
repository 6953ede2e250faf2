"""Finds the cries in the corpus's recordings of infants whose name is known.

A recording that was uploaded as a cry may hold speech, a rustle or nothing. Where somebody marked
the cries by ear (a TextGrid), those stretches count; elsewhere the loud ones do, and only of
recordings in which an independent detector (YAMNet, in the manifest) heard a cry at all.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from tqdm import tqdm

from models.corpora.labels import cry_intervals
from models.corpora.manifest import read_manifest
from models.features import fbank80
from models.identity.pairs import CryFrames
from models.identity.runtime import MIN_SECONDS, SAMPLE_RATE_HZ
from models.identity.verification import Owner
from models.sound import read
from models.waveform import resample

# The one source whose recordings name their infant.
SOURCE = "donateacry"
# Breaths between two expirations of one bout last well under a second.
LONGEST_BREATH_SECONDS = 1.0
# Without marks: blocks this long, and at most this far under the recording's loud blocks, count.
BLOCK_SECONDS = 0.1
LOUD_PERCENTILE = 95
LOUD_RANGE_DB = 15.0
# Below this there is nothing but the noise of the codec.
SILENCE_DBFS = -60.0
# YAMNet's highest cry score in the recording. On recordings with marks, 78 % lie above.
LIKELY_CRY = 0.3


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

    `recorded_at` is ISO 8601, UTC, as the manifest has it. `likely` is false where nobody marked
    a cry and YAMNet hears none: such a recording is too doubtful to learn from.
    """

    path: str
    split: str
    recorded_at: str
    owner: Owner
    cries: list[np.ndarray]
    likely: bool


def read_recordings(corpus: Path, splits: Sequence[str]) -> list[CryRecording]:
    """Read the cries of every donateacry infant in `splits`, in the manifest's order.

    Recordings without half a second of cry are left out.
    """
    rows = [r for r in read_manifest(corpus) if r.source == SOURCE and r.split in splits]
    heard = _cry_scores(corpus)
    found = []
    for row in tqdm(rows, unit="recording", desc="finding cries"):
        waveform, rate = read(row.path, None)
        # As the stream does it, whose monitors send what they have.
        waveform = resample(waveform[None], rate, SAMPLE_RATE_HZ)[0]
        cries = cut_cries(waveform, cry_intervals(row.textgrid) if row.textgrid else None)
        if cries:
            path = row.path.relative_to(corpus).as_posix()
            owner = Owner(row.infant, row.group, row.platform, _milliseconds(row.recorded_at))
            likely = row.textgrid is not None or heard[path] >= LIKELY_CRY
            found.append(CryRecording(path, row.split, row.recorded_at, owner, cries, likely))
    return found


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


def cached_cry_frames(corpus: Path, split: str, cache: Path) -> list[CryFrames]:
    """The log-Mel frames of the likely cries of `split`, made once and kept in the file `cache`.

    float16 has steps of 0.06 dB at the levels of log-Mel frames: far below any noise. Delete the
    file after a change of corpus or features.
    """
    if not cache.exists():
        recordings = [r for r in read_recordings(corpus, [split]) if r.likely]
        frames = [np.concatenate([fbank80(cry) for cry in r.cries]) for r in recordings]
        owners = [r.owner for r in recordings]
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            cache,
            frames=np.concatenate(frames).astype(np.float16),
            ends=np.cumsum([len(f) for f in frames]),
            infants=[o.infant for o in owners],
            groups=[o.group for o in owners],
            platforms=[o.platform for o in owners],
            recorded_at_ms=np.array([o.recorded_at_ms for o in owners], dtype=np.int64),
        )
    with np.load(cache) as kept:
        frames = np.split(kept["frames"].astype(np.float32), kept["ends"][:-1])
        owners = zip(
            kept["infants"].tolist(),
            kept["groups"].tolist(),
            kept["platforms"].tolist(),
            kept["recorded_at_ms"].tolist(),
            strict=True,
        )
        return [CryFrames(Owner(*o), f) for o, f in zip(owners, frames, strict=True)]


def _cry_scores(corpus: Path) -> dict[str, float]:
    """YAMNet's highest cry score of each recording, by its path in the corpus."""
    with (corpus / "manifest.csv").open(newline="") as file:
        return {row["path"]: float(row["yamnet_cry"] or 0) for row in csv.DictReader(file)}


def _milliseconds(recorded_at: str) -> int:
    return round(datetime.fromisoformat(recorded_at).timestamp() * 1000)
