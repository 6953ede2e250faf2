"""The timeline as rows of one table, cries and acts of staff together in time order."""

import csv
import dataclasses
import heapq
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from streams.errors import TimelineError
from streams.records.deviation import DeviationRecord
from streams.timeline.acts import Act
from streams.timeline.store import TimelineStore
from streams.timeline.tables import field_kinds

# `kind` says which columns are filled: those of `DeviationRecord`, or those of `Act`.
CRY, ACT = "cry", "act"
# Parquet keeps columns in groups of rows; so many fit well into memory.
GROUP_ROWS = 10_000
_FIELDS = field_kinds(DeviationRecord) | field_kinds(Act)
COLUMNS = ("kind", "at", *_FIELDS)


def export_rows(
    store: TimelineStore,
    infant: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> Iterator[dict[str, object]]:
    """Rows in time order, each with `kind`, `at` (a datetime in UTC) and its own columns."""
    cries = (_plain(CRY, c.started_at_ms, c) for c in store.cries(infant, since_ms, until_ms))
    acts = (_plain(ACT, a.at_ms, a) for a in store.acts(infant, since_ms, until_ms))
    yield from heapq.merge(cries, acts, key=lambda row: row["at"])


def _plain(kind: str, at_ms: int, row: DeviationRecord | Act) -> dict[str, object]:
    # From whole milliseconds: a float of seconds would not hold them.
    seconds, milliseconds = divmod(at_ms, 1000)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=1000 * milliseconds)
    return {"kind": kind, "at": at, **dataclasses.asdict(row)}


def export(rows: Iterator[dict[str, object]], path: Path) -> int:
    """Write rows into a CSV or Parquet file, by its suffix; returns how many they were.

    The file appears when it is whole.

    Raises:
        TimelineError: of Parquet: its library is not installed.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            write = _write_parquet if path.suffix == ".parquet" else _write_csv
            count = write(rows, file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _write_csv(rows: Iterator[dict[str, object]], file: IO[bytes]) -> int:
    count = 0
    lines = csv.DictWriter(_Encoded(file), COLUMNS)
    lines.writeheader()
    for count, row in enumerate(rows, start=1):  # noqa: B007
        row["at"] = row["at"].isoformat(timespec="milliseconds")
        lines.writerow(row)
    return count


class _Encoded:
    """What `csv` writes to, as UTF-8."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


def _write_parquet(rows: Iterator[dict[str, object]], file: IO[bytes]) -> int:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise TimelineError(
            "The library for Parquet is missing: pip install 'vagitus[parquet]', or export to CSV."
        ) from None
    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(),
             bool: pyarrow.bool_()}  # fmt: skip
    schema = pyarrow.schema(
        [
            ("kind", pyarrow.string()),
            ("at", pyarrow.timestamp("ms", tz="UTC")),
            *((name, types[kind]) for name, (kind, _) in _FIELDS.items()),
        ]
    )
    count = 0
    with parquet.ParquetWriter(file, schema) as writer:
        while group := list(itertools.islice(rows, GROUP_ROWS)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema))
            count += len(group)
    return count
