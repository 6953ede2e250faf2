"""The corpus as the paper's experiments see it: spectrograms of every second, computed once.

The paper augments nothing, so a second has one spectrogram for the backbones and one for VGGish.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models import sound
from models.corpora.labels import second_labels
from models.corpora.manifest import Recording, read_manifest
from models.detector.vggish import features as vggish
from models.features import DETECTOR_RATE_HZ, log_mel

# A last piece under half a second would be mostly padding; as the stream's sources cut it.
KEPT_REMAINDER = 0.5


@dataclass(frozen=True)
class Corpus:
    """All seconds of one split, in the order of the manifest.

    Attributes:
        manifest: of the whole corpus.
        log_mels: float32 [seconds, 64 mels, 64 frames] in dB, at 8 kHz.
        vggish_mels: float32 [seconds, 96 frames, 64 mels], at 16 kHz.
        labels: int8 [seconds]: 1 cry, 0 not, -1 unknown.
        recordings: int32 [seconds]: index into the manifest.
    """

    manifest: list[Recording]
    log_mels: NDArray[np.float32]
    vggish_mels: NDArray[np.float32]
    labels: NDArray[np.int8]
    recordings: NDArray[np.int32]


def load_corpus(folder: Path, split: str, cache: Path) -> Corpus:
    """The seconds of a split; reads the sound once, then a cache beside the runs.

    Raises:
        CorpusError: the manifest cannot be read.
        SoundError: a recording cannot be read.
    """
    manifest = read_manifest(folder)
    digest = hashlib.sha256((folder / "manifest.csv").read_bytes()).hexdigest()[:12]
    path = cache / f"{split}-{digest}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Renamed when whole, so that an interruption leaves no half a cache.
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **_read(manifest, split))
        partial.replace(path)
    with np.load(path) as arrays:
        return Corpus(manifest, **{name: arrays[name] for name in arrays.files})


def _read(manifest: list[Recording], split: str) -> dict[str, NDArray]:
    rows: dict[str, list[NDArray]] = {
        "log_mels": [np.zeros((0, 64, 64), np.float32)],
        "vggish_mels": [np.zeros((0, vggish.FRAMES, vggish.MELS), np.float32)],
        "labels": [np.zeros(0, np.int8)],
        "recordings": [np.zeros(0, np.int32)],
    }
    chosen = [(i, r) for i, r in enumerate(manifest) if r.split == split]
    for index, recording in tqdm(chosen, f"Reading {split}", leave=False, disable=None):
        narrow = cut_seconds(sound.read(recording.path, DETECTOR_RATE_HZ)[0], DETECTOR_RATE_HZ)
        wide = cut_seconds(sound.read(recording.path, vggish.RATE_HZ)[0], vggish.RATE_HZ)
        # Resampling may leave one a few samples shorter, hence a last second more or less.
        count = min(len(narrow), len(wide))
        rows["log_mels"].append(log_mel(narrow[:count]))
        rows["vggish_mels"].append(vggish.log_mel(wide[:count]))
        rows["labels"].append(second_labels(recording, count))
        rows["recordings"].append(np.full(count, index, np.int32))
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def cut_seconds(waveform: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """float32 [samples] to [seconds, rate_hz]; half a second left over is padded, less is cut."""
    whole, rest = divmod(waveform.size, rate_hz)
    if rest >= KEPT_REMAINDER * rate_hz:
        whole, waveform = whole + 1, np.pad(waveform, (0, rate_hz - rest))
    return waveform[: whole * rate_hz].reshape(whole, rate_hz)
