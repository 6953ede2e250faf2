import json

import pytest

from streams.records.stored_baseline import NAMED_CRIES, REMEMBERED, Pause, StoredBaseline

PAUSE = Pause("act-1", 1_700_000_000_000, "nurse-4", "fever")


def hear(row, number, accepted=True, begun=False, reason="normal"):
    learned = [(f"cry-{number}", 1000 * number)] if accepted else []
    return row.having_heard(reason, learned, begun=begun)


@pytest.mark.parametrize(
    "row",
    [
        StoredBaseline(),
        StoredBaseline(("a@1", "b\n@2"), b'\n["x"]\n\x00\xff'),
        StoredBaseline(("a",), b"m", (("a", 7),), {"normal": 3}, 2, PAUSE, (41, 1_700_000_000_000)),
    ],
)
def test_a_row_is_read_back_whatever_bytes_the_model_holds(row):
    assert StoredBaseline.decode(row.encode()) == row


def test_a_row_of_before_there_were_acts_is_read():
    old = json.dumps(["mon-1@1", "mon-1@2"]).encode() + b"\n" + b"\x00\n\xff"
    assert StoredBaseline.decode(old) == StoredBaseline(("mon-1@1", "mon-1@2"), b"\x00\n\xff")
    assert StoredBaseline.decode(None) == StoredBaseline()


def test_cries_are_counted_by_reason_and_the_learned_ones_named():
    row = hear(hear(hear(StoredBaseline(), 1), 2, accepted=False, reason="clipped"), 3)
    assert row.learned == (("cry-1", 1000), ("cry-3", 3000))
    assert row.decisions == {"normal": 2, "clipped": 1}
    assert row.heard == 3


def test_where_learning_began_anew_the_cries_before_are_heard_but_no_longer_learned():
    row = hear(hear(hear(StoredBaseline(), 1), 2, begun=True, reason="learning_restarted"), 3)
    assert [name for name, _ in row.learned] == ["cry-2", "cry-3"]
    assert row.heard == 3


def test_only_the_last_ones_are_known_by_name():
    row = StoredBaseline()
    for number in range(NAMED_CRIES + 5):
        row = hear(row, number).having_applied(f"cry-{number}")
    assert (len(row.learned), row.learned[0]) == (NAMED_CRIES, ("cry-5", 5000))
    assert (len(row.applied), row.applied[-1]) == (REMEMBERED, f"cry-{NAMED_CRIES + 4}")
    assert row.heard == NAMED_CRIES + 5


def test_a_baseline_that_begins_anew_keeps_only_what_was_applied_and_the_pause():
    row = StoredBaseline(("a",), b"m", (("a", 7),), {"normal": 3}, 2, PAUSE, (4, 5))
    assert row.begun_anew() == StoredBaseline(applied=("a",), pause=PAUSE, reached=(4, 5))


def test_what_was_read_before_is_known_and_a_topic_made_anew_is_not_taken_for_it():
    row = StoredBaseline().having_reached(41, 9_000).having_reached(42, 8_000)
    assert row.has_passed(42, 8_000)
    assert row.has_passed(41, 9_000)
    assert not row.has_passed(43, 8_500)
    assert not row.has_passed(3, 9_001)
    assert not StoredBaseline().has_passed(0, 0)
