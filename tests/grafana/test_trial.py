"""The ward of a trial has the faults that the dashboards are to show."""

from collections import Counter

import pytest

from grafana.trial import COTS, DAMAGED, OVERDRIVEN, UNPLUGGED, TroubledWard
from models.synthesis.ward import SimulatedWard
from models.waveform import clipped_fraction
from streams.errors import RefusedMessage

SECONDS = 40


@pytest.fixture(scope="module")
def heard() -> dict[str, list]:
    """What came of each monitor: chunks in time order."""
    source = TroubledWard(SimulatedWard(COTS), SECONDS, speed=4.0)
    monitors: dict[str, list] = {f"mon-{number}": [] for number in range(1, COTS + 1)}
    for chunk in source.chunks():
        monitors[chunk.monitor].append(chunk)
    assert 0 < source.began_at <= source.ended_at
    # Played at that speed, the last second would have been of now.
    last_at = monitors["mon-1"][-1].captured_at_ms / 1000 + 1
    assert last_at == pytest.approx(source.began_at + SECONDS / 4, abs=0.1)
    return monitors


def at(heard: dict[str, list], which: int) -> list:
    return list(heard.values())[which]


def readable(chunks: list) -> list:
    found = []
    for chunk in chunks:
        try:
            found.append(chunk.waveform())
        except RefusedMessage:
            continue
    return found


def test_one_monitor_is_unplugged_and_the_others_are_heard_to_the_end(heard):
    seconds = Counter(len(chunks) for chunks in heard.values())
    assert seconds[SECONDS] == COTS - 1
    assert SECONDS // 2 < len(at(heard, UNPLUGGED)) < SECONDS


def test_one_monitor_is_overdriven_from_some_moment_on(heard):
    waveforms = readable(at(heard, OVERDRIVEN))
    loudest = [max(map(clipped_fraction, part)) for part in (waveforms[:15], waveforms[25:])]
    assert loudest[0] < 0.001
    assert loudest[1] > 0.01


def test_one_monitor_sends_damaged_seconds(heard):
    refused = {name: len(chunks) - len(readable(chunks)) for name, chunks in heard.items()}
    assert refused.pop(list(heard)[DAMAGED]) == 2
    assert set(refused.values()) == {0}
