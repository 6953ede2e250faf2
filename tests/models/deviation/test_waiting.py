"""Which of the cries that are held back are learnt from, and when."""

import numpy as np
import pytest

from models.deviation.waiting import (
    LONGEST_RUN,
    MOST_WAITING,
    USUAL_AFTER_DEVIANT,
    USUAL_AFTER_ODD,
    Cry,
    Waiting,
)


def cry(number):
    return Cry(f"cry-{number}", 1_000 * number, np.full(3, number, np.float32), 0.1 * number)


def follow(waiting, usual):
    """The numbers of those that are free after so many usual cries, one list for each."""
    return [[int(free.segment_id[4:]) for free in waiting.usual()] for _ in range(usual)]


@pytest.mark.parametrize(
    ("deviant", "needed"), [(False, USUAL_AFTER_ODD), (True, USUAL_AFTER_DEVIANT)]
)
def test_one_waits_until_enough_usual_cries_have_followed(deviant, needed):
    waiting = Waiting()
    waiting.strange(cry(1), deviant)
    assert follow(waiting, needed + 1) == [[]] * (needed - 1) + [[1], []]


def test_another_odd_one_has_an_odd_one_wait_anew_and_a_deviant_one_forgotten():
    waiting = Waiting()
    waiting.strange(cry(1), deviant=True)
    waiting.strange(cry(2), deviant=False)
    follow(waiting, USUAL_AFTER_ODD - 1)
    waiting.strange(cry(3), deviant=False)
    assert follow(waiting, USUAL_AFTER_ODD)[-1] == [2, 3]
    assert follow(waiting, USUAL_AFTER_DEVIANT) == [[]] * USUAL_AFTER_DEVIANT


def test_a_cry_that_nobody_may_learn_interrupts_but_never_comes_free():
    waiting = Waiting()
    waiting.strange(cry(1), deviant=False)
    follow(waiting, USUAL_AFTER_ODD - 1)
    waiting.strange(None)
    assert follow(waiting, USUAL_AFTER_ODD) == [[]] * (USUAL_AFTER_ODD - 1) + [[1]]


@pytest.mark.parametrize("run", [LONGEST_RUN, LONGEST_RUN + 3])
def test_nothing_is_learnt_from_any_of_a_long_run(run):
    waiting = Waiting()
    for number in range(run):
        waiting.strange(cry(number), deviant=False)
    assert len(waiting) == 0
    assert follow(waiting, USUAL_AFTER_ODD) == [[]] * USUAL_AFTER_ODD
    waiting.strange(cry(99), deviant=False)
    assert follow(waiting, USUAL_AFTER_ODD)[-1] == [99]


def test_a_run_that_is_a_little_shorter_is_learnt_from():
    waiting = Waiting()
    for number in range(LONGEST_RUN - 1):
        waiting.strange(cry(number), deviant=False)
    assert follow(waiting, USUAL_AFTER_ODD)[-1] == list(range(LONGEST_RUN - 1))


def test_no_more_than_so_many_wait():
    waiting = Waiting()
    for number in range(MOST_WAITING + 3):
        waiting.strange(cry(number), deviant=False)
        follow(waiting, USUAL_AFTER_ODD - 1)
    assert len(waiting) == MOST_WAITING
    assert follow(waiting, 1)[0][0] == 3


def test_what_waits_comes_back_as_it_was():
    waiting, back = Waiting(), Waiting()
    waiting.strange(cry(1), deviant=False)
    waiting.usual()
    waiting.strange(cry(2), deviant=True)
    back.from_arrays(waiting.to_arrays(3), waiting.names())
    assert back.names() == ["cry-1", "cry-2"]
    for one in (waiting, back):
        one.strange(None)
        one.strange(None)
    assert len(back) == len(waiting) == 1  # the odd one: a run of three
    one, other = waiting.usual() + waiting.usual(), back.usual() + back.usual()
    assert (one[0].segment_id, one[0].started_at_ms, one[0].score) == ("cry-1", 1_000, 0.1)
    assert np.array_equal(one[0].embedding, other[0].embedding)
    assert (other[0].segment_id, other[0].started_at_ms, other[0].score) == ("cry-1", 1_000, 0.1)


def test_names_that_do_not_fit_are_refused():
    waiting = Waiting()
    waiting.strange(cry(1), deviant=False)
    with pytest.raises(ValueError, match="longer"):
        Waiting().from_arrays(waiting.to_arrays(3), [])
