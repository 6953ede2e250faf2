"""CryCeleb 2023: expirations of newborns, cut out at birth and again at discharge.

Budaghyan et al., "CryCeleb: A Speaker Verification Dataset Based on Infant Cry Sounds", 2023. A
folder with `metadata.csv` and the sounds that its `file_name` names, under `audio/`. Its licence
(for academic use) lets nobody pass it on, so whoever wants it gets it from its authors.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from models.corpora.manifest import CorpusError

METADATA = "metadata.csv"
BIRTH, DISCHARGE = "B", "D"
# What its authors call our splits.
SPLITS = {"train": "train", "dev": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class Expiration:
    """One row of the metadata: a single expiration.

    Attributes:
        path: of the sound.
        infant: whose cry it is.
        period: `BIRTH` or `DISCHARGE`.
        index: its place among the expirations of that infant and period.
        split: `train`, `val` or `test`.
    """

    path: Path
    infant: str
    period: str
    index: int
    split: str


def read_cryceleb(folder: Path) -> list[Expiration]:
    """All expirations of the folder, those of an infant and period together and in their order.

    Raises:
        CorpusError: `metadata.csv` is missing, lacks a column or holds an unknown period or split.
    """
    try:
        with (folder / METADATA).open(newline="") as file:
            rows = [_expiration(folder, row) for row in csv.DictReader(file)]
    except KeyError as error:
        raise CorpusError(f"{folder}/{METADATA} is none of CryCeleb 2023: {error}.") from error
    except (OSError, ValueError, csv.Error) as error:
        raise CorpusError(f"{folder}/{METADATA} cannot be read: {error}.") from error
    return sorted(rows, key=lambda row: (row.infant, row.period, row.index))


def _expiration(folder: Path, row: dict[str, str]) -> Expiration:
    if row["period"] not in (BIRTH, DISCHARGE):
        raise ValueError(f"a period {row['period']!r}, neither {BIRTH} nor {DISCHARGE}")
    return Expiration(
        path=folder / row["file_name"],
        infant=row["baby_id"],
        period=row["period"],
        # Tables written from data frames hold whole numbers as 3.0.
        index=int(float(row["chronological_index"])),
        split=SPLITS[row["split"]],
    )
