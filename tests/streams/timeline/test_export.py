"""The timeline as CSV and Parquet."""

import csv
import dataclasses
from datetime import UTC, datetime

import pytest
from pyarrow import parquet

from streams.timeline import export as export_module
from streams.timeline.export import COLUMNS, export, export_rows
from tests.streams.timeline.days import RESET, a_week
from tests.streams.ward import START_MS, deviation


@pytest.fixture
def week(store):
    store.write([*a_week(), RESET])
    return store


def test_cries_and_acts_are_rows_in_time_order(week):
    rows = list(export_rows(week, "infant-1"))
    assert [row["kind"] for row in rows] == ["cry"] * 3 + ["act"] + ["cry"] * 4
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert rows[0]["at"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert len(list(export_rows(week, "infant-1", START_MS + 1, START_MS + 86_400_000))) == 1
    assert list(export_rows(week, "nobody")) == []


def test_csv_has_every_field_and_nothing_where_nothing_is_known(week, tmp_path):
    path = tmp_path / "week.csv"
    assert export(export_rows(week), path) == 8
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[0]["at"], rows[0]["sigma"]) == ("2023-11-14T22:13:20.000+00:00", "")
    assert (rows[1]["sigma"], rows[1]["drifting"], rows[1]["who"]) == ("-1.0", "False", "")
    (act,) = [row for row in rows if row["kind"] == "act"]
    assert (act["who"], act["remark"], act["sigma"]) == ("nurse-4", "<new> lamp", "")


def test_parquet_gives_back_what_was_written_type_by_type(week, tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, "GROUP_ROWS", 3)
    path = tmp_path / "week.parquet"
    assert export(export_rows(week), path) == 8
    rows = parquet.read_table(path).to_pylist()
    cries = [
        {name: row[name] for name in dataclasses.asdict(deviation(0))}
        for row in rows
        if row["kind"] == "cry"
    ]
    assert cries == [dataclasses.asdict(cry) for cry in a_week()]
    assert rows[0]["at"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_export_that_fails_leaves_what_was_there(week, tmp_path, suffix):
    path = tmp_path / f"week.{suffix}"
    path.write_text("before")

    def rows():
        yield next(export_rows(week))
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        export(rows(), path)
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.glob("*week*")] == [path.name]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_nothing_is_exported_as_a_table_without_rows(tmp_path, suffix):
    path = tmp_path / f"none.{suffix}"
    assert export(iter([]), path) == 0
    if suffix == "csv":
        assert path.read_text().strip() == ",".join(COLUMNS)
    else:
        assert parquet.read_table(path).column_names == list(COLUMNS)
