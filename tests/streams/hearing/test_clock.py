"""Silence is counted only while the worker listens."""

import time

import pytest

from streams.hearing.clock import LONGEST_STEP_SECONDS, ListeningClock


@pytest.fixture
def begun() -> tuple[ListeningClock, float]:
    clock = ListeningClock()
    at = time.monotonic() + 1
    clock.look(False, at)
    return clock, at


def test_time_passes_while_the_worker_listens(begun):
    clock, at = begun
    for second in range(1, 11):
        clock.look(True, at + second)
    assert clock.seconds == pytest.approx(10)


def test_a_freeze_counts_as_no_more_than_one_step(begun):
    clock, at = begun
    assert clock.look(True, at + 3600) == LONGEST_STEP_SECONDS


def test_a_rebalance_does_not_count(begun):
    clock, at = begun
    for second in range(1, 11):
        clock.look(False, at + second)
    assert clock.look(True, at + 11) == pytest.approx(1)
