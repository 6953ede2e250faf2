"""The corpus: a folder with `manifest.csv`, one row a recording, named by `VAGITUS_DATA`."""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "VAGITUS_DATA"


class CorpusError(Exception):
    """The corpus cannot be found or read; `str()` is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One row of the manifest.

    Attributes:
        path: of the sound.
        is_cry: the recording's label: it holds a cry somewhere.
        kind: what is heard.
        source: which collection it came from.
        group: what must never straddle a split.
        split: `train`, `val` or `test`.
        infant: the best identity there is; empty if unknown.
        recorded_at: ISO 8601; empty if unknown.
        platform: `android`, `ios` or empty.
        textgrid: second-exact cry intervals, if somebody marked them.
    """

    path: Path
    is_cry: bool
    kind: str
    source: str
    group: str
    split: str
    infant: str
    recorded_at: str
    platform: str
    textgrid: Path | None


def corpus_folder() -> Path:
    """The folder that `VAGITUS_DATA` names; raises CorpusError."""
    name = os.environ.get(VARIABLE)
    if not name:
        raise CorpusError(f"Set {VARIABLE} to the folder that holds manifest.csv.")
    folder = Path(name)
    if not (folder / "manifest.csv").is_file():
        raise CorpusError(f"{VARIABLE}={name} holds no manifest.csv.")
    return folder


def read_manifest(folder: Path) -> list[Recording]:
    """All recordings of a corpus folder, in the order of the manifest; raises CorpusError."""
    try:
        with (folder / "manifest.csv").open(newline="") as file:
            return [_recording(folder, row) for row in csv.DictReader(file)]
    except (OSError, KeyError, csv.Error) as error:
        raise CorpusError(f"{folder}/manifest.csv cannot be read: {error}.") from error


def _recording(folder: Path, row: dict[str, str]) -> Recording:
    return Recording(
        path=folder / row["path"],
        is_cry=row["label"] == "cry",
        kind=row["kind"],
        source=row["source"],
        group=row["group"],
        split=row["split"],
        infant=row["infant"],
        recorded_at=row["recorded_at"],
        platform=row["platform"],
        textgrid=folder / row["textgrid"] if row["textgrid"] else None,
    )
