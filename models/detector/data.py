"""The corpus as the detector trains on it: labelled seconds at 8 kHz, cached."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models import sound
from models.augment import through_codec
from models.corpora.labels import second_labels
from models.corpora.manifest import Recording, read_manifest
from models.features import DETECTOR_RATE_HZ

SPLITS = ("train", "val", "test")
# A last piece under half a second would be mostly padding; as the stream's sources cut it.
KEPT_REMAINDER = 0.5
PCM = 32767.0
# Nearly all cries of the corpus are AMR-NB or ADPCM and nearly all else FLAC or Opus. So that the
# codec tells nothing, every training recording also exists after one of these, most after AMR.
COPY_CODECS = ("amr-nb", "ima-adpcm", "opus", "mu-law")
COPY_WEIGHTS = (0.55, 0.25, 0.1, 0.1)


@dataclass(frozen=True)
class Seconds:
    """Seconds of many recordings, in order.

    Attributes:
        waveforms: int16 [seconds, 8000].
        copies: the same after a codec; int16 [seconds, 8000], or empty.
        labels: int8 [seconds]: 1 cry, 0 not, -1 unknown.
        recordings: int32 [seconds]: index into the manifest.
    """

    waveforms: NDArray[np.int16]
    copies: NDArray[np.int16]
    labels: NDArray[np.int8]
    recordings: NDArray[np.int32]


def load_seconds(folder: Path, split: str, cache: Path) -> tuple[list[Recording], Seconds]:
    """The manifest and the seconds of a split; reads the sound once, then a cache file."""
    manifest = read_manifest(folder)
    path = cache / f"seconds-{split}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Renamed when whole, so that an interruption leaves no half a cache.
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **_read(manifest, split))
        partial.replace(path)
    with np.load(path) as arrays:
        return manifest, Seconds(**{name: arrays[name] for name in arrays.files})


def _read(manifest: list[Recording], split: str) -> dict[str, NDArray]:
    rng = np.random.default_rng(0)
    rows: dict[str, list[NDArray]] = {"waveforms": [], "copies": [], "labels": [], "recordings": []}
    chosen = [(i, r) for i, r in enumerate(manifest) if r.split == split]
    for index, recording in tqdm(chosen, f"Reading {split}", leave=False):
        waveform, _ = sound.read(recording.path, DETECTOR_RATE_HZ)
        seconds = _cut(waveform)
        rows["waveforms"].append(_pcm(seconds))
        if split == "train":
            codec = str(rng.choice(COPY_CODECS, p=COPY_WEIGHTS))
            copy = through_codec(waveform, DETECTOR_RATE_HZ, codec)
            rows["copies"].append(_pcm(_cut(copy)))
        rows["labels"].append(second_labels(recording, len(seconds)))
        rows["recordings"].append(np.full(len(seconds), index, np.int32))
    none = np.zeros((0, DETECTOR_RATE_HZ), np.int16)
    return {name: np.concatenate(parts) if parts else none for name, parts in rows.items()}


def _cut(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    whole, rest = divmod(waveform.size, DETECTOR_RATE_HZ)
    if rest >= KEPT_REMAINDER * DETECTOR_RATE_HZ:
        whole, waveform = whole + 1, np.pad(waveform, (0, DETECTOR_RATE_HZ - rest))
    return waveform[: whole * DETECTOR_RATE_HZ].reshape(whole, DETECTOR_RATE_HZ)


def _pcm(waveform: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.rint(np.clip(waveform, -1, 1) * PCM).astype(np.int16)


def as_float(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """int16 to float32 in -1..1."""
    return pcm.astype(np.float32) / np.float32(PCM)
