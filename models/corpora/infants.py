"""The plainest corpus: a folder for each infant, and its recordings in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

from models.corpora.manifest import CorpusError

# Of ten infants, by their names: enough to learn from, a few to choose by, some to measure on.
SPLIT_TENTHS = ("train",) * 7 + ("val",) + ("test",) * 2
# A date and a time anywhere in a file's name: 2024-05-01T22-10-07, 20240501_221007, ...
_TIME = re.compile(
    r"(?P<year>20\d\d)-?(?P<month>[01]\d)-?(?P<day>[0-3]\d)[T_ -]"
    r"(?P<hour>[0-2]\d)[:.h_-]?(?P<minute>[0-5]\d)(?:[:.m_-]?(?P<second>[0-5]\d))?"
)


@dataclass(frozen=True, slots=True)
class InfantRecording:
    """One recording.

    Attributes:
        path: of the sound.
        infant: the name of its folder.
        recorded_at: UTC, as the file's name has it; None if it has no time.
        split: `train`, `val` or `test`, drawn by the infant's name and so always the same.
    """

    path: Path
    infant: str
    recorded_at: datetime | None
    split: str


def read_infants(folder: Path) -> list[InfantRecording]:
    """All recordings in `folder/infant/`, in the order of their names; hidden files are skipped.

    Raises:
        CorpusError: there is no such folder, or no folder of an infant in it holds a file.
    """
    try:
        infants = sorted(entry for entry in folder.iterdir() if _is_shown(entry) and entry.is_dir())
        found = [
            InfantRecording(path, infant.name, time_in(path.stem), split_of(infant.name))
            for infant in infants
            for path in sorted(infant.iterdir())
            if _is_shown(path) and path.is_file()
        ]
    except OSError as error:
        raise CorpusError(f"{folder} cannot be read: {error}.") from error
    if not found:
        raise CorpusError(f"{folder} holds no recordings as infant/recording.wav.")
    return found


def split_of(infant: str) -> str:
    """The split of an infant of that name."""
    return SPLIT_TENTHS[crc32(infant.encode()) % len(SPLIT_TENTHS)]


def time_in(name: str) -> datetime | None:
    """The date and time that a name holds, taken as UTC; None if it holds none."""
    match = _TIME.search(name)
    if match is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in match.groups()), tzinfo=UTC)
    except ValueError:  # the 31st of February
        return None


def _is_shown(path: Path) -> bool:
    return not path.name.startswith(".")
