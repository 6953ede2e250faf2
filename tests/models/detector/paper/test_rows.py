"""A row that is measured is not measured again, and tables show what there is."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.detector.paper.page import page_of
from models.detector.paper.rows import Row, RowStore
from models.detector.paper.tables import text_of

FIGURES = {
    "seconds": 10, "cries": 2, "accuracy": 0.91234, "auc": 0.9, "best_f1": 0.8,
    "best_threshold": 0.4, "accuracy_there": 0.92,
}  # fmt: skip
BOTH = {"val": FIGURES, "test": FIGURES | {"accuracy": 0.81}}


def test_a_row_is_measured_once_for_its_settings(tmp_path):
    measured = []

    def measure() -> dict:
        measured.append(True)
        return BOTH

    for store in (RowStore(tmp_path, "first"), RowStore(tmp_path, "second")):
        row = store.row("table2", "5s", {"steps": 4}, measure)
    assert len(measured) == 1
    assert row.made["command"] == "first"
    assert set(row.made) == {"date", "machine", "threads", "commit", "command", "seconds"}
    store.row("table2", "5s", {"steps": 5}, measure)
    assert len(measured) == 2


def test_a_row_that_is_interrupted_leaves_nothing(tmp_path):
    def measure() -> dict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RowStore(tmp_path).row("table2", "5s", {}, measure)
    assert RowStore(tmp_path).table("table2") == {}


def test_rows_of_another_table_are_not_shown(tmp_path):
    store = RowStore(tmp_path)
    for table, name in (("table2", "5s"), ("table4", "5s-all")):
        store.row(table, name, {}, lambda: BOTH)
    assert list(store.table("table4")) == ["5s-all"]


def test_a_table_stands_in_the_order_of_the_paper_and_names_what_is_missing():
    rows = {name: Row("table3", name, {"epochs": 7}, BOTH, {}) for name in ("random", "all")}
    text = text_of("table3", rows, ("all", "random", "mined"))
    assert text.index("| all | 0.9123 | 0.8100 |") < text.index("| random |")
    assert "0.8868 / 0.8820 | 7 epochs |" in text
    assert "Not measured yet: mined." in text


def test_the_page_says_what_an_ear_that_never_hears_a_cry_would_reach():
    made = {
        "date": "2026-01-01", "machine": "2 cores", "threads": 1, "commit": "abc",
        "command": "vagitus-train detector paper table2", "seconds": 90,
    }  # fmt: skip
    row = Row("table2", "5s", {"network": "n", "steps": 4}, BOTH, made)
    text = page_of({"table2": {"5s": row}, "table3": {}})
    assert "an accuracy of 0.8000" in text
    assert "| table2 5s | `n` | `vagitus-train detector paper table2` | 2026-01-01 | abc |" in text
    assert "| 1.5 |" in text
