"""How long records gather."""

import pytest

from streams.kafka.gathering import BUSY, SHORTEST_SECONDS, Gathering


class Core:
    """Time that passes, and how much of it was used."""

    def __init__(self) -> None:
        self.now = self.used = 0.0

    def run(self, seconds: float, share: float) -> None:
        self.now += seconds
        self.used += seconds * share


@pytest.fixture
def core():
    return Core()


def gathering(core: Core, longest: float) -> Gathering:
    return Gathering(longest, lambda: core.now, lambda: core.used)


def test_a_busy_worker_lets_records_gather_and_an_idle_one_hardly(core):
    waits = gathering(core, 0.25)
    for share, expected in ((BUSY, 0.25), (1.7, 0.25), (0.3, 0.15), (0.01, SHORTEST_SECONDS)):
        core.run(2.0, share)
        assert waits.seconds == pytest.approx(expected)


def test_until_it_is_known_how_busy_it_is_records_gather(core):
    waits = gathering(core, 0.25)
    core.run(0.5, 0.0)
    assert waits.seconds == 0.25


def test_one_busy_moment_among_idle_seconds_does_not_count(core):
    waits = gathering(core, 0.25)
    core.run(5.0, 0.01)
    assert waits.seconds == SHORTEST_SECONDS
    core.run(0.1, 1.0)
    assert waits.seconds == SHORTEST_SECONDS


def test_no_wait_is_longer_than_was_asked_for(core):
    waits = gathering(core, 0.01)
    core.run(2.0, 0.0)
    assert waits.seconds == 0.01
