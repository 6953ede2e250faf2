import pytest

from models.deviation import gate
from models.deviation.gate import Decision, Reason, Sound

GOOD = {"seconds": 3.0, "cry_score": 0.95, "level_dbfs": -25.0, "clipped_fraction": 0.0}


def test_a_clean_sure_cry_may_be_learnt_from():
    assert gate.unfit(Sound(**GOOD), paused=False) is None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"cry_score": 0.49}, Reason.NO_CRY),
        ({"cry_score": 0.69}, Reason.NOT_SURE_CRY),
        ({"seconds": 0.9}, Reason.TOO_SHORT),
        ({"clipped_fraction": 0.011}, Reason.CLIPPED),
        ({"level_dbfs": -56.0}, Reason.TOO_QUIET),
        ({"noise_dbfs": -30.0}, Reason.TOO_NOISY),
    ],
)
def test_each_fault_of_a_sound_has_its_reason(fault, reason):
    assert gate.unfit(Sound(**(GOOD | fault)), paused=False) is reason
    assert reason.decision is Decision.REFUSED
    assert not reason.is_own_cry


def test_at_the_thresholds_a_sound_is_still_fit():
    sound = Sound(
        seconds=1.0, cry_score=0.7, level_dbfs=-55.0, clipped_fraction=0.01, noise_dbfs=-61.0
    )
    assert gate.unfit(sound, paused=False) is None


def test_a_pause_is_named_only_where_nothing_else_is_wrong():
    assert gate.unfit(Sound(**GOOD), paused=True) is Reason.PAUSED
    assert gate.unfit(Sound(**(GOOD | {"seconds": 0.2})), paused=True) is Reason.TOO_SHORT


def test_a_strange_cry_is_odd_or_deviant_and_likelier_anothers_only_where_it_is_deviant():
    assert gate.strange(0.15, -50.0) is None
    assert gate.strange(0.149, -50.0) is Reason.ODD
    assert gate.strange(0.01, 20.0) is Reason.ODD
    assert gate.strange(0.001, 20.0) is Reason.DEVIANT
    assert gate.strange(0.001, -50.0) is Reason.SOMEONE_ELSE


def test_before_there_are_scores_nothing_is_strange():
    assert gate.strange(None, -50.0) is None


def test_only_three_reasons_accept_and_two_hold_back():
    accepting = {reason for reason in Reason if reason.decision is Decision.ACCEPTED}
    assert accepting == {Reason.LEARNING, Reason.NORMAL, Reason.RESTARTED}
    assert all(reason.is_own_cry for reason in accepting)
    held = {reason for reason in Reason if reason.decision is Decision.HELD}
    assert held == {Reason.ODD, Reason.DEVIANT}


def test_a_strange_cry_still_counts_for_drift():
    assert Reason.ODD.is_own_cry
    assert Reason.DEVIANT.is_own_cry
    assert Reason.SOMEONE_ELSE.is_own_cry
    assert not Reason.PAUSED.is_own_cry
