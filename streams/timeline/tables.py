"""The tables of the timeline: one column a field of the record that is its row.

`cries` holds the `deviations` of the stream, `acts` what staff did. Dashboards read both.
"""

import dataclasses
import math
from typing import get_args, get_type_hints

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Index,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy import inspect as inspect_database
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine

from streams.errors import Refusal, RefusedMessage
from streams.records.deviation import DeviationRecord
from streams.timeline.acts import Act

Row = DeviationRecord | Act

_COLUMN_TYPES: dict[type, type[TypeEngine]] = {
    str: Text,
    int: BigInteger,
    float: Double,
    bool: Boolean,
}
_BIGGEST = 2**63 - 1
# Workers that start at once must not make the same tables at once; any number that is ours.
PREPARE_LOCK = 0x7661_6769
METADATA = MetaData()


def field_kinds(record: type[Row]) -> dict[str, tuple[type, bool]]:
    """The fields of a row: by name its type, and whether it may be None."""
    kinds = {}
    for name, hint in get_type_hints(record).items():
        options = get_args(hint) or (hint,)
        (kind,) = [option for option in options if option is not type(None)]
        kinds[name] = (kind, type(None) in options)
    return kinds


def _table(name: str, record: type[Row], moment: str) -> Table:
    columns = [
        # Only the id is demanded: a record that gains a field can join the rows that lack it.
        Column(field, _COLUMN_TYPES[kind](), primary_key=field == "id")
        for field, (kind, _) in field_kinds(record).items()
    ]
    return Table(
        name,
        METADATA,
        *columns,
        Index(f"{name}_infant_moment", "infant", moment),
        Index(f"{name}_moment", moment),  # what retention asks for
    )


CRIES = _table("cries", DeviationRecord, "started_at_ms")
ACTS = _table("acts", Act, "at_ms")
MOMENTS = {CRIES: CRIES.c.started_at_ms, ACTS: ACTS.c.at_ms}
_KINDS = {record: field_kinds(record) for record in (DeviationRecord, Act)}


def table_of(row: Row) -> Table:
    """Where a row belongs."""
    return ACTS if isinstance(row, Act) else CRIES


def checked(row: Row) -> dict[str, object]:
    """A row as its columns.

    A value that no database takes is refused here, so that whatever a database says afterwards is
    a reason to try again and not to give a row up.

    Raises:
        RefusedMessage: a field has another type than it should, or cannot be stored.
    """
    for name, (kind, optional) in _KINDS[type(row)].items():
        value = getattr(row, name)
        if value is None and optional:
            continue
        whole = isinstance(value, int) and not isinstance(value, bool)
        fits = isinstance(value, kind) and (whole or kind is not int)
        if not fits and not (kind is float and whole):
            raise RefusedMessage(Refusal.UNREADABLE, f"{name!r} is not of type {kind.__name__}")
        if isinstance(value, str) and not _storable(value):
            raise RefusedMessage(Refusal.UNREADABLE, f"{name!r} holds what is no text")
        if whole and abs(value) > _BIGGEST:
            raise RefusedMessage(Refusal.ABSURD_HEADER, f"{name!r} is beyond 64 bits")
        if isinstance(value, float) and not math.isfinite(value):
            raise RefusedMessage(Refusal.NON_FINITE, f"{name!r} is not finite")
    return dataclasses.asdict(row)


def _storable(words: str) -> bool:
    # PostgreSQL refuses NUL, and half a surrogate pair has no UTF-8.
    return "\0" not in words and not any("\ud800" <= letter <= "\udfff" for letter in words)


def prepare(connection: Connection) -> None:
    """Make the tables that are missing, and give older ones the columns that they lack.

    Where nothing is missing nothing is asked for that a mere reader may not do.
    """
    if not _missing(connection):
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({PREPARE_LOCK})"))
    for table, columns in _missing(connection).items():
        if columns == list(table.columns):
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
            continue
        for column in columns:
            kind = column.type.compile(connection.dialect)
            connection.execute(DDL(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"))


def _missing(connection: Connection) -> dict[Table, list[Column]]:
    """The columns that are not there, by table; all of a table that is not there."""
    inspector = inspect_database(connection)
    names = set(inspector.get_table_names())
    missing = {}
    for table in METADATA.sorted_tables:
        found = inspector.get_columns(table.name) if table.name in names else []
        present = {column["name"] for column in found}
        if columns := [column for column in table.columns if column.name not in present]:
            missing[table] = columns
    return missing
