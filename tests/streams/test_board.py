"""What each cot is shown as, from what the stream says of it."""

import io

import pytest
from rich.console import Console

from streams.board import Board
from streams.records.place import Place
from tests.streams.ward import PLACE, deviation, scores

ONSET = 0.5
NOW = 100.0


def printed(board: Board, now: float = NOW, width: int = 80) -> list[str]:
    page = io.StringIO()
    Console(file=page, width=width).print(board.table("The ward", now))
    return page.getvalue().splitlines()


def state_of(board: Board, now: float = NOW) -> str:
    (cot,) = board.cots.values()
    return cot.state(now, ONSET)


@pytest.mark.parametrize(
    ("score", "said", "state"),
    [
        (0.1, None, "learning"),
        (0.1, {"state": "learning", "sigma": None, "p_value": None}, "learning"),
        (0.1, {"state": "learning", "p_value": 0.001}, "learning"),
        (0.5, None, "crying"),
        (0.5, {"state": "learning"}, "crying"),
        (0.5, {}, "crying"),
        (0.49, {}, "quiet"),
        (0.1, {"p_value": 0.01}, "deviating"),
        (0.1, {"p_value": 0.011}, "quiet"),
        (0.1, {"p_value": None, "drifting": True}, "deviating"),
        (0.9, {"p_value": 0.001}, "deviating"),
    ],
)
def test_a_cot_is_shown_as_its_last_score_and_its_last_cry_say(score, said, state):
    board = Board([PLACE], ONSET)
    board.hear(scores(score), NOW)
    if said is not None:
        board.say(deviation(**said))
    assert state_of(board) == state


def test_a_cot_is_silent_until_it_is_heard_and_five_seconds_after():
    board = Board([PLACE], ONSET)
    board.say(deviation(p_value=0.001))
    assert state_of(board) == "silent"
    board.hear(scores(0.9), NOW)
    assert state_of(board, NOW + 5.0) == "deviating"
    assert state_of(board, NOW + 5.1) == "silent"


@pytest.mark.parametrize(
    ("score", "later", "state"), [(0.1, 0, "no infant"), (0.5, 0, "crying"), (0.5, 9, "no infant")]
)
def test_a_monitor_without_an_admission_is_no_cot_that_learns(score, later, state):
    board = Board([], ONSET)
    board.hear(scores(score), NOW)
    board.say(deviation(place=Place("mon-1"), state="unassigned", p_value=None, sigma=None))
    assert state_of(board, NOW + later) == state
    assert any(state in line for line in printed(board, NOW + later))


def test_where_staff_have_paused_learning_it_is_said():
    board = Board([PLACE], ONSET)
    board.hear(scores(0.1), NOW)
    board.say(deviation(gate="refused", reason="paused"))
    assert any("9 paused" in line for line in printed(board))
    board.say(deviation(3))
    assert not any("paused" in line for line in printed(board))


def test_the_last_cry_counts_not_the_strangest():
    board = Board([PLACE], ONSET)
    board.hear(scores(0.9, 0.1), NOW)
    board.say(deviation(0, p_value=0.001))
    board.say(deviation(5))
    assert state_of(board) == "quiet"
    assert len(board.cots["mon-1"].deviations) == 2


def test_what_comes_twice_counts_once():
    board = Board([PLACE], ONSET)
    for _ in range(2):
        board.hear(scores(0.9, 0.2, 0.5), NOW)
        board.say(deviation())
    (cot,) = board.cots.values()
    assert (cot.cry_seconds, len(cot.deviations)) == (2, 1)
    assert (len(board.scores), board.repeated_scores) == (3, 3)


def test_a_monitor_that_nobody_announced_gets_a_row():
    board = Board([], ONSET)
    board.hear(scores(0.9, monitor="stranger"), NOW)
    assert board.cots["stranger"].place == Place("stranger")
    assert any(line.split()[:3] == ["stranger", "-", "crying"] for line in printed(board))


def test_a_row_says_minutes_cries_learned_deviation_and_drift():
    board = Board([PLACE], ONSET)
    board.hear(scores(*[0.9] * 90, 0.1), NOW)
    board.say(deviation(0, sigma=3.21, p_value=0.0012, drift_sigma=-1.26, baseline_segments=12))
    row = ["cot-1", "infant-1", "deviating", "1.5", "1", "12", "+3.2σ", "p", "0.001", "-1.3σ"]
    assert row in [line.split() for line in printed(board)]


@pytest.mark.parametrize(
    "infant", ["infant-07f3", "d6cda191-4962-4308-9a36-46d5648a95ed-143115-1.7"]
)
def test_a_ward_of_many_cots_fits_eighty_columns(infant):
    places = [Place(f"mon-{n}", f"{infant}-{n}", "nicu", f"cot-{n}") for n in range(1, 201)]
    board = Board(places, ONSET)
    for place in places:
        board.hear(scores(0.9, monitor=place.monitor), NOW)
        board.cots[place.monitor].cry_seconds = 36_000
        changes = {"sigma": -12.3, "p_value": 0.001, "drift_sigma": 12.3, "baseline_segments": 999}
        board.say(deviation(place=place, **changes))
    lines = printed(board)
    assert max(map(len, lines)) <= 80
    rows = [line.split() for line in lines if line.strip().startswith("cot-")]
    told = ["deviating", "600.0", "1", "999", "-12.3σ", "p", "0.001", "+12.3σ"]
    assert [(row[0], row[2:]) for row in rows] == [(place.bed, told) for place in places]
