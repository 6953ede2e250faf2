"""What a small ward's stream says: records, sounds and recordings that a test can foresee."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from models.synthesis.cry import synthesize_cry
from models.synthesis.infant import random_infant
from streams.records.cry_scores import CryScore, CryScores
from streams.records.cry_segment import CrySegment
from streams.records.deviation import DeviationRecord
from streams.records.place import Place

START_MS = 1_700_000_000_000
PLACE = Place("mon-1", "infant-1", "nicu", "cot-1")
RATE_HZ = 16_000
# Around the cry of a recording: the detector then hears where it begins and that it ends.
BEFORE_SECONDS, AFTER_SECONDS = 2, 3


def scores(*values: float, monitor: str = "mon-1", second: int = 0) -> CryScores:
    """One record: the scores of seconds that follow one another."""
    rows = [
        CryScore(monitor, second + i, START_MS + 1000 * (second + i), value, -30.0, 0.0)
        for i, value in enumerate(values)
    ]
    return CryScores("detector-1", tuple(rows))


def deviation(second: int = 0, place: Place = PLACE, **changes: object) -> DeviationRecord:
    """A usual cry of a known infant; `changes` make it another."""
    started_at_ms = START_MS + 1000 * second
    record = DeviationRecord(
        id=f"{place.monitor}@{started_at_ms}#baseline-1",
        segment_id=f"{place.monitor}@{started_at_ms}",
        infant=place.infant,
        ward=place.ward,
        bed=place.bed,
        monitor=place.monitor,
        started_at_ms=started_at_ms,
        seconds=3.0,
        state="ready",
        sigma=0.5,
        p_value=0.4,
        drift_sigma=0.2,
        drifting=False,
        gate="accepted",
        reason="normal",
        baseline_segments=9,
        baseline_version="baseline-1",
    )
    return replace(record, **changes)


def cry_sound(infant: int = 0, cry: int = 0, seconds: float = 4.0) -> NDArray[np.float32]:
    """One cry of a synthetic infant at 16 kHz."""
    voice = random_infant(np.random.default_rng(infant))
    return synthesize_cry(voice, seconds, np.random.default_rng([infant, cry]), RATE_HZ)


def room_sound(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """A quiet room at 16 kHz."""
    samples = round(seconds * RATE_HZ)
    return np.random.default_rng(seed).normal(0, 1e-3, samples).astype(np.float32)


def record_room(path: Path, seconds: float = 3.0) -> Path:
    """A recording in which nobody cries."""
    soundfile.write(path, room_sound(seconds), RATE_HZ, subtype="PCM_16")
    return path


def record_cry(path: Path, infant: int = 0, cry: int = 0) -> Path:
    """A recording of one cry of four seconds in a quiet room."""
    sound = cry_sound(infant, cry)
    before, after = BEFORE_SECONDS * RATE_HZ, AFTER_SECONDS * RATE_HZ
    heard = room_sound((before + sound.size + after) / RATE_HZ, cry)
    heard[before : before + sound.size] += sound
    soundfile.write(path, heard, RATE_HZ, subtype="PCM_16")
    return path


def segment(sound: NDArray[np.float32], place: Place = PLACE, second: int = 0) -> CrySegment:
    """A cry segment with this sound, at 16 kHz."""
    return CrySegment(
        place=place,
        started_at_ms=START_MS + 1000 * second,
        scores=(0.8, 1.0),
        level_dbfs=-20.0,
        noise_dbfs=-50.0,
        clipped_fraction=0.0,
        detector_version="detector-1",
        sample_rate_hz=RATE_HZ,
        flac=CrySegment.flac_of(sound, RATE_HZ),
    )
