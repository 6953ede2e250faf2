"""What was heard right and wrong, against what really happened."""

import io

import pytest
from rich.console import Console

from models.synthesis.ward import Truth
from streams.board import Board
from streams.verdict import CotVerdict, judge, verdict_table
from tests.streams.ward import PLACE, START_MS, deviation, scores

ONSET = 0.5


def truths(*fractions: float, monitor: str = "mon-1", drifts_from: int | None = None) -> dict:
    """What happened in seconds that follow one another: the share of each that was a cry."""
    return {
        (monitor, START_MS + 1000 * second): Truth(
            monitor, second, "infant-1", fraction, drifts_from is not None and second >= drifts_from
        )
        for second, fraction in enumerate(fractions)
    }


def board_of(*values: float) -> Board:
    board = Board([PLACE], ONSET)
    board.hear(scores(*values), 0.0)
    return board


def verdict_on(board: Board, truth: dict) -> CotVerdict:
    (verdict,) = judge(board, truth, ONSET).values()
    return verdict


@pytest.mark.parametrize(
    ("fraction", "score", "counts"),
    [
        (1.0, 0.9, (1, 1, 0, 0)),
        (1.0, 0.49, (1, 0, 0, 0)),
        (0.3, 0.5, (1, 1, 0, 0)),
        (0.0, 0.5, (0, 0, 1, 1)),
        (0.0, 0.49, (0, 0, 1, 0)),
        # A cry's edge is neither: no score of it is right or wrong.
        (0.29, 0.9, (0, 0, 0, 0)),
        (0.01, 0.1, (0, 0, 0, 0)),
    ],
)
def test_a_second_is_a_cry_or_not_and_heard_or_not(fraction, score, counts):
    verdict = verdict_on(board_of(score), truths(fraction))
    assert (verdict.cry, verdict.heard, verdict.other, verdict.false) == counts


@pytest.mark.parametrize(
    ("second", "said", "counts"),
    [
        (0, {}, (0, 1, 0, 0)),
        (0, {"p_value": 0.01}, (1, 1, 0, 0)),
        (0, {"drifting": True}, (1, 1, 0, 0)),
        (1, {}, (0, 0, 0, 1)),
        (1, {"p_value": 0.01}, (0, 0, 1, 1)),
        (1, {"drifting": True}, (0, 0, 1, 1)),
        (0, {"state": "learning", "p_value": 0.01}, (0, 0, 0, 0)),
        (5, {"p_value": 0.01}, (0, 0, 0, 0)),
    ],
)
def test_a_cry_is_before_or_after_the_drift_and_flagged_or_not(second, said, counts):
    board = board_of(0.9, 0.9)
    board.say(deviation(second, **said))
    verdict = verdict_on(board, truths(1.0, 1.0, drifts_from=1))
    flags = verdict.flagged_before, verdict.cries_before, verdict.flagged_after, verdict.cries_after
    assert flags == counts


@pytest.mark.parametrize(("drifts_from", "drifting"), [(None, False), (1, True), (2, False)])
def test_an_infant_drifts_if_it_did_in_any_second_that_was_scored(drifts_from, drifting):
    truth = truths(1.0, 0.1, 0.0, drifts_from=drifts_from)
    verdict = verdict_on(board_of(0.9, 0.1), truth)
    assert (verdict.infant, verdict.drifting) == ("infant-1", drifting)


def test_a_second_whose_truth_is_forgotten_is_not_judged():
    assert verdict_on(board_of(0.9, 0.9, 0.9), truths(1.0)).cry == 1
    assert judge(board_of(0.9), {}, ONSET) == {}


def test_a_cry_is_judged_though_no_score_of_its_monitor_came():
    board = Board([PLACE], ONSET)
    board.say(deviation())
    assert verdict_on(board, truths(1.0)).cries_before == 1


def test_the_table_says_each_cot_and_all_of_them_in_eighty_columns():
    verdicts = {
        "mon-2": CotVerdict("infant-07f3", 1000, 500, 9100, 91, True, 10, 40, 300, 600),
        "mon-1": CotVerdict("infant-1", 30, 27, 50, 2, False, 0, 8, 0, 0),
    }
    page = io.StringIO()
    Console(file=page, width=80).print(verdict_table(verdicts))
    rows = [line.split() for line in page.getvalue().splitlines()]
    expected = [
        "infant-1 30 27 (90%) 50 2 (4%) 0/8 0/0",
        "infant-07f3 (drifts) 1000 500 (50%) 9100 91 (1%) 10/40 300/600",
        "all 1030 527 (51%) 9150 93 (1%) 10/48 300/600",
    ]
    assert [row for row in rows if "/" in "".join(row)] == [line.split() for line in expected]


def test_a_share_of_nothing_is_a_dash():
    page = io.StringIO()
    Console(file=page, width=80).print(verdict_table({"mon-1": CotVerdict("infant-1")}))
    rows = [line.split() for line in page.getvalue().splitlines()]
    assert ["infant-1", "0", "-", "0", "-", "0/0", "0/0"] in rows
