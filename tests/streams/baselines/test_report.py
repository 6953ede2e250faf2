"""What is told of a baseline, in the terminal and as JSON."""

import io
import json
from dataclasses import replace
from datetime import UTC

import pytest
from rich.console import Console

from models.deviation.drift import CUSUM_LIMIT
from models.deviation.ward import WardModel
from streams.baselines.judging import Baselines
from streams.baselines.report import SHOWN_ACTS, SHOWN_CRIES, BaselineReport
from streams.records.baseline_act import BaselineAct
from streams.records.stored_baseline import Pause, StoredBaseline
from streams.timeline.acts import Act
from tests.streams.baselines.test_judging import run, usual
from tests.streams.ward import START_MS


@pytest.fixture(scope="module")
def ward() -> WardModel:
    return WardModel.load()


@pytest.fixture(scope="module")
def stored(ward) -> StoredBaseline:
    """Fourteen cries, two of them unfit."""
    heard = [usual(ward, n) for n in range(12)]
    heard += [usual(ward, 12, clipped_fraction=0.5), usual(ward, 13, seconds=0.5)]
    return run(ward, heard)[1]


def report(ward, stored: StoredBaseline, *acts: Act) -> BaselineReport:
    return BaselineReport("infant-1", stored, Baselines(ward).summary("infant-1", stored), acts)


def drawn(told: BaselineReport) -> str:
    console = Console(width=100, file=io.StringIO())
    console.print(told.drawn(UTC))
    return console.file.getvalue()


def line(page: str, name: str) -> str:
    (found,) = [line for line in page.splitlines() if line.startswith(name)]
    return found.removeprefix(name).strip()


def test_a_baseline_says_what_it_learned_from_and_how_it_stands(ward, stored):
    page = drawn(report(ward, stored))
    assert page.startswith("infant-1 · ready · baseline-6+ward-1-")
    assert line(page, "learning") == "goes on"
    assert line(page, "learned from") == "12 of 14 cries"
    assert line(page, "accepted") == "12 (learning 6, normal 6)"
    assert line(page, "held back") == "0"
    assert line(page, "refused") == "2 (clipped 1, too_short 1)"
    assert line(page, "unusual").startswith("p below 0.01, for this infant from +")
    assert line(page, "admission reference") == "after 24 cries"
    assert line(page, "adaptive reference") == "the last 12 cries"
    assert line(page, "drift") == f"unknown, no drift (sum 0.0 of {CUSUM_LIMIT:g})"
    assert f"The last {SHOWN_CRIES} cries learned from" in page
    assert "2023-11-14 22:15:10  mon-1@11" in page
    assert "mon-1@1\n" not in page


def test_before_it_is_ready_it_says_how_far_it_is(ward):
    page = drawn(report(ward, run(ward, [usual(ward, 0)])[1]))
    assert line(page, "learned from") == "1 of 1 cries, ready after 6"
    assert line(page, "unusual") == "nothing is scored yet"
    nothing = drawn(report(ward, StoredBaseline()))
    assert line(nothing, "learned from") == "no cry yet, ready after 6"
    assert line(nothing, "accepted") == "0"


def test_a_pause_and_what_staff_did_are_shown_with_who_and_why(ward, stored):
    paused = replace(stored, pause=Pause("a", START_MS, "nurse-4", "fever"), taken_out=3)
    act = Act("a", "infant-1", "", "", START_MS, None, "nurse-4", "learning_paused", "fever",
              "learning is paused")  # fmt: skip
    page = drawn(report(ward, paused, *[act] * (SHOWN_ACTS + 2)))
    assert line(page, "learning") == "paused since 2023-11-14 22:13:20 by nurse-4: fever"
    assert line(page, "taken out") == "3 by staff"
    said = "◆ 2023-11-14 22:13:20  learning_paused, nurse-4: fever → learning is paused"
    assert page.count(said) == SHOWN_ACTS


def test_what_no_worker_has_come_to_yet_is_shown(ward, stored):
    act = BaselineAct("x", "infant-1", "learning_paused", START_MS, "nurse-4", "fever")
    told = replace(report(ward, stored), waiting=[usual(ward, 20), act, usual(ward, 21)])
    assert line(drawn(told), "not yet in it") == (
        "2 cries, learning_paused (nurse-4): no worker has come to them"
    )
    there = json.loads(json.dumps(told.as_json()))["waiting"]
    assert (there["cries"], [act["why"] for act in there["acts"]]) == (2, ["fever"])


def test_a_baseline_of_other_rules_says_so_and_what_comes_next(ward, stored):
    page = drawn(report(ward, replace(stored, model=b"of other rules")))
    assert page.startswith("infant-1 · of other rules")
    assert "made anew" in line(page, "next")
    assert line(page, "accepted") == "12 (learning 6, normal 6)"


def test_a_row_of_before_cries_were_counted_shows_what_its_model_knows(ward, stored):
    page = drawn(report(ward, StoredBaseline(model=stored.model)))
    assert line(page, "learned from") == "12 cries"


def test_programs_get_everything(ward, stored):
    told = json.loads(json.dumps(report(ward, stored).as_json()))
    assert (told["infant"], told["heard"], told["taken_out"]) == ("infant-1", 14, 0)
    assert (told["baseline"]["accepted"], told["baseline"]["state"]) == (12, "ready")
    assert told["decisions"] == {"learning": 6, "normal": 6, "clipped": 1, "too_short": 1}
    assert len(told["learned"]) == 12
    assert told["learned"][0] == {"segment_id": "mon-1@0", "at": "2023-11-14T22:13:20+00:00"}
    assert (told["learning_paused"], told["acts"]) == (None, [])
    broken = report(ward, replace(stored, model=b"of other rules"))
    assert broken.as_json()["baseline"] is None
