"""Corpora of cries whose infant is known, each read as the same list of recordings.

A reader takes the corpus folder and the splits that are wanted and gives `CryRecording`s:

- `donateacry`: a folder with `manifest.csv` (models/corpora/manifest.py), of which donateacry is
  the one source that names its infants.
- `cryceleb`: CryCeleb 2023. The expirations of an infant at birth, joined, are one recording, and
  those at discharge another, as its authors verify; every birth meets every discharge.
- `folder`: `infant/recording.wav`, in any format that FFmpeg reads.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import numpy as np
from tqdm import tqdm

from models.corpora.cryceleb import BIRTH, read_cryceleb
from models.corpora.infants import read_infants
from models.corpora.labels import cry_intervals
from models.corpora.manifest import read_manifest
from models.features import fbank80
from models.identity.clips import CryRecording, cut_cries
from models.identity.pairs import CryFrames
from models.identity.runtime import MIN_SECONDS, SAMPLE_RATE_HZ
from models.identity.verification import Owner
from models.sound import read
from models.waveform import resample

# The one source of the manifest whose recordings name their infant.
SOURCE = "donateacry"
# YAMNet's highest cry score in the recording. On recordings with marks, 78 % lie above.
LIKELY_CRY = 0.3
# Where no time is known, recordings lie a day apart: farther than what shares a room.
UNKNOWN_GAP_MS = 24 * 3600 * 1000

Reader = Callable[[Path, Sequence[str]], list[CryRecording]]


def read_donateacry(corpus: Path, splits: Sequence[str]) -> list[CryRecording]:
    """The cries of every donateacry infant in `splits`, in the manifest's order.

    Recordings without half a second of cry are left out. Raises CorpusError, SoundError.
    """
    rows = [r for r in read_manifest(corpus) if r.source == SOURCE and r.split in splits]
    heard = _cry_scores(corpus)
    found = []
    for row in tqdm(rows, unit="recording", desc="finding cries"):
        marks = cry_intervals(row.textgrid) if row.textgrid else None
        path = row.path.relative_to(corpus).as_posix()
        at_ms = _milliseconds(datetime.fromisoformat(row.recorded_at))
        owner = Owner(row.infant, row.group, row.platform, at_ms)
        likely = row.textgrid is not None or heard[path] >= LIKELY_CRY
        if cries := cut_cries(_sound(row.path), marks):
            found.append(CryRecording(path, row.split, row.recorded_at, owner, cries, likely))
    return found


def read_cryceleb_cries(corpus: Path, splits: Sequence[str]) -> list[CryRecording]:
    """The cries of CryCeleb's infants in `splits` (its `dev` is our `val`), by infant and period.

    An expiration is often shorter than an embedder takes, so those of one period are joined. When
    they were recorded is not published: discharge is taken as a day after birth. Raises
    CorpusError, SoundError.
    """
    rows = [row for row in read_cryceleb(corpus) if row.split in splits]
    found = []
    periods = groupby(rows, key=lambda row: (row.infant, row.period, row.split))
    for (infant, period, split), members in tqdm(periods, unit="recording", desc="reading cries"):
        cry = np.concatenate([_sound(member.path) for member in members])
        if len(cry) < MIN_SECONDS * SAMPLE_RATE_HZ:
            continue
        owner = Owner(infant, infant, "", 0 if period == BIRTH else UNKNOWN_GAP_MS, period)
        found.append(CryRecording(f"{infant}/{period}", split, _iso(owner), owner, [cry], True))
    return found


def read_folder(corpus: Path, splits: Sequence[str]) -> list[CryRecording]:
    """The cries in `infant/recording.wav`: all that is loud, for nobody marked anything.

    Splits are drawn by the infants' names. Times are read in the files' names; unless all of an
    infant's have one, its recordings are taken as a day apart, in the order of their names. Raises
    CorpusError, SoundError.
    """
    rows = [row for row in read_infants(corpus) if row.split in splits]
    found = []
    for infant, group in groupby(tqdm(rows, unit="recording"), key=lambda row: row.infant):
        members = list(group)
        times = [row.recorded_at for row in members]
        for place, row in enumerate(members):
            at_ms = place * UNKNOWN_GAP_MS if None in times else _milliseconds(row.recorded_at)
            owner = Owner(infant, infant, "", at_ms)
            path = row.path.relative_to(corpus).as_posix()
            if cries := cut_cries(_sound(row.path), None):
                found.append(CryRecording(path, row.split, _iso(owner), owner, cries, True))
    return found


READERS: dict[str, Reader] = {
    "donateacry": read_donateacry,
    "cryceleb": read_cryceleb_cries,
    "folder": read_folder,
}


def cached_cry_frames(corpus: Path, reader: str, split: str, folder: Path) -> list[CryFrames]:
    """The log-Mel frames of the likely cries of `split`, made once and kept in `folder`.

    float16 has steps of 0.06 dB at the levels of log-Mel frames: far below any noise. Delete the
    file after a change of corpus or features. Raises CorpusError, SoundError.
    """
    cache = folder / f"{reader}-{corpus.resolve().name}-{split}.npz"
    if not cache.exists():
        recordings = [r for r in READERS[reader](corpus, [split]) if r.likely]
        frames = [np.concatenate([fbank80(cry) for cry in r.cries]) for r in recordings]
        owners = [r.owner for r in recordings]
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(
            cache,
            frames=np.concatenate([np.zeros((0, 80)), *frames]).astype(np.float16),
            ends=np.cumsum([len(f) for f in frames], dtype=np.int64),
            names=[(o.infant, o.group, o.platform, o.period) for o in owners],
            recorded_at_ms=np.array([o.recorded_at_ms for o in owners], dtype=np.int64),
        )
    with np.load(cache) as kept:
        frames = np.split(kept["frames"].astype(np.float32), kept["ends"])[:-1]
        names, times = kept["names"].tolist(), kept["recorded_at_ms"].tolist()
    owners = [
        Owner(infant, group, platform, at_ms, period)
        for (infant, group, platform, period), at_ms in zip(names, times, strict=True)
    ]
    return [CryFrames(owner, f) for owner, f in zip(owners, frames, strict=True)]


def _sound(path: Path) -> np.ndarray:
    """float32 [samples] at 16 kHz, brought there as the stream does it."""
    waveform, rate = read(path, None)
    return resample(waveform[None], rate, SAMPLE_RATE_HZ)[0]


def _cry_scores(corpus: Path) -> dict[str, float]:
    """YAMNet's highest cry score of each recording, by its path in the corpus."""
    with (corpus / "manifest.csv").open(newline="") as file:
        return {row["path"]: float(row["yamnet_cry"] or 0) for row in csv.DictReader(file)}


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _iso(owner: Owner) -> str:
    return datetime.fromtimestamp(owner.recorded_at_ms / 1000, UTC).isoformat()
