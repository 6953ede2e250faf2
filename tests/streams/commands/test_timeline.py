"""`vagitus timeline`: what it prints and writes, and how it fails."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from pyarrow import parquet

from streams.records.place import Place
from streams.timeline.store import TimelineStore
from tests.streams.timeline.days import DAY, RESET, a_week
from tests.streams.ward import START_MS, deviation

OTHER = Place("mon-2", "other-2", "nicu", "cot-2")


@pytest.fixture
def url(tmp_path) -> str:
    """A timeline of two infants."""
    address = f"sqlite:///{tmp_path / 'ward.sqlite3'}"
    store = TimelineStore(address)
    store.write([*a_week(), RESET, deviation(5, OTHER)])
    store.close()
    return address


@pytest.fixture
def timeline(vagitus, url):
    """`vagitus timeline` on that timeline."""
    return lambda *arguments: vagitus("timeline", "--timeline", url, *arguments)


def test_an_infants_days_are_drawn_in_the_terminal(timeline):
    status, page, _ = timeline("infant-1")
    assert status == 0
    assert page.startswith("infant-1 · nicu cot-1 · 7 cries")
    assert "Gate: " in page
    assert "baseline_reset, nurse-4" in page
    assert "other-2" not in page


def test_without_an_infant_it_lists_who_is_there(timeline):
    status, page, _ = timeline()
    rows = [line.split()[:2] for line in page.splitlines()[3:]]
    assert (status, rows) == (0, [["infant-1", "7"], ["other-2", "1"]])


def test_json_is_a_line_a_row(timeline):
    status, page, _ = timeline("infant-1", "--json")
    rows = [json.loads(line) for line in page.splitlines()]
    assert status == 0
    assert [row["kind"] for row in rows].count("act") == 1
    assert rows[1]["sigma"] == -1.0
    assert rows[0]["at"] == "2023-11-14T22:13:20.000+00:00"
    assert len(timeline("--json")[1].splitlines()) == 9


def test_only_the_time_asked_for_is_shown(timeline):
    def count(*arguments: str) -> int:
        return len(timeline("infant-1", "--json", *arguments)[1].splitlines())

    begin = datetime.fromtimestamp(START_MS / 1000)
    later = (begin + timedelta(days=4)).isoformat()
    assert (count("--since", later), count("--until", later)) == (3, 5)
    assert count("--since", "2023-11-18T22:13:20Z", "--until", "2023-11-19T22:13:20Z") == 1
    assert count("--since", "7d") == 0
    assert count("--since", "99999d") == 8


def test_a_page_and_a_table_are_written(timeline, tmp_path):
    status, page, _ = timeline(
        "infant-1", "--out", tmp_path / "a.html", "--export", tmp_path / "a.parquet"
    )
    assert status == 0
    assert "8 rows written" in page
    assert "7 cries drawn" in page
    assert "<svg" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert parquet.read_table(tmp_path / "a.parquet").num_rows == 8
    assert timeline("--export", tmp_path / "all.csv")[:2] == (
        0, f"9 rows written to {tmp_path / 'all.csv'}\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nobody"], 1, "nobody is not on the timeline at"),
        (["infnat-1"], 1, "there is: infant-1, other-2."),
        (["infant-1", "--since", "7d"], 1, "infant-1 has no cry in that time"),
        (["infant-1", "--since", "tomorrow"], 2, "'tomorrow' is no time"),
        (["infant-1", "--out", "page.png"], 2, "does not end in .html"),
        (["infant-1", "--export", "missing/rows.csv"], 2, "there is no folder missing"),
        (["infant-1", "--export", "rows.xlsx"], 2, "does not end in .csv or .parquet"),
        (["infant-1", "--json", "--out", "page.html"], 2, "Give --json, or files to write"),
        (["--out", "page.html"], 2, "A page is of one INFANT"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(timeline, arguments, status, said):
    ended, page, errors = timeline(*arguments)
    assert (ended, page) == (status, "")
    assert said in errors
    assert "Traceback" not in errors
    assert len([line for line in errors.splitlines() if said in line]) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///missing.sqlite3", "There is no timeline at missing.sqlite3 yet"),
        ("postgresql://u:secret@127.0.0.1:1/d", "does not answer"),
        ("mysql://u:secret@host/d", "VAGITUS_TIMELINE_URL"),
    ],
)
def test_a_store_that_is_not_there_is_one_sentence_without_its_password(vagitus, url, said):
    status, _, errors = vagitus("timeline", "infant-1", "--timeline", url)
    assert (status, len(errors.splitlines())) == (1, 1)
    assert said in errors
    assert "secret" not in errors


def test_an_infant_of_whom_only_acts_are_known_is_not_called_unknown(timeline, url):
    TimelineStore(url).write([type(RESET)("a", "quiet-3", "", "", 1, None, "n", "w", "")])
    assert "quiet-3 has no cry in that time" in timeline("quiet-3")[2]
    assert len(timeline("quiet-3", "--json")[1].splitlines()) == 1


def test_a_shell_is_told_the_infants_that_fit_and_nothing_where_there_is_no_store(url, tmp_path):
    def told(address: str) -> list[str]:
        words = f"vagitus timeline --timeline {address} in"
        environment = {"_VAGITUS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "4"}
        program = [sys.executable, "-c", "from streams.cli import main; main()"]
        return subprocess.run(
            program, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
        ).stdout.split()

    assert told(url) == ["plain,infant-1"]
    assert told(f"sqlite:///{tmp_path / 'none.sqlite3'}") == []


def test_a_replay_fills_a_timeline_and_a_second_one_changes_nothing(vagitus, cry, tmp_path):
    manifest, address = tmp_path / "manifest.csv", f"sqlite:///{tmp_path / 'replayed.sqlite3'}"
    rows = ["cry.wav,infant-1,2024-01-01", "cry.wav,infant-2,2024-01-01"]
    manifest.write_text("\n".join(["path,infant,recorded_at", *rows]))
    for _ in range(2):
        assert vagitus("replay", manifest, "--timeline", address, "--quiet")[0] == 0
        page = vagitus("timeline", "--timeline", address, "--json")[1]
        found = [json.loads(line) for line in page.splitlines()]
        assert sorted(row["infant"] for row in found) == ["infant-1", "infant-2"]
        assert {row["monitor"] for row in found} == {"cry.wav"}
        assert all(abs(row["started_at_ms"] - 1_704_067_200_000) < DAY for row in found)
