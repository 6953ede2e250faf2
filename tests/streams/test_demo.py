"""When the demo has heard all: what it waits for at its end."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from streams import demo
from streams.board import Board
from streams.metrics.shown import Metrics, Share
from streams.play import Played
from streams.records.admission import Admission
from tests.streams.ward import PLACE, deviation, scores


class Looks:
    """A worker whose figures at /metrics change from look to look: open and closed cries."""

    def __init__(self, *looks: tuple[int, int]) -> None:
        self._looks = list(looks)
        self.number = 0

    def total(self, series: str) -> float:
        open_cries, closed_cries = self._looks[min(self.number, len(self._looks) - 1)]
        if series == demo.OPEN_CRIES:
            return open_cries
        self.number += 1
        return closed_cries


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(demo, "LOOK_SECONDS", 0.001)


def drain(worker, *, seconds: int = 2, cries: int = 0, open_cries_too: bool = False) -> bool:
    """Drain a demo that sent two seconds, of which these came back with these cries."""
    board = Board([PLACE], 0.5)
    board.hear(scores(*[0.1] * seconds), 0.0)
    for number in range(cries):
        board.say(deviation(number))
    return asyncio.run(demo._drain(board, Played({"mon-1": 2}), worker, open_cries_too))


def test_it_ends_once_every_second_is_scored_and_every_cry_said(quick):
    worker = Looks((0, 1))
    assert drain(worker, cries=1)
    assert worker.number == demo.LOOKS_TO_BE_SURE


def test_a_cry_that_is_counted_a_moment_late_is_waited_for(quick):
    worker = Looks((0, 0), (0, 0), (0, 2), (0, 1))
    assert drain(worker, cries=1)
    assert worker.number == 3 + demo.LOOKS_TO_BE_SURE


@pytest.mark.parametrize(("open_cries_too", "waits"), [(True, 4), (False, 0)])
def test_open_cries_are_waited_for_where_the_sound_has_ended(quick, open_cries_too, waits):
    worker = Looks((1, 0), (1, 0), (1, 0), (1, 0), (0, 0))
    assert drain(worker, open_cries_too=open_cries_too)
    assert worker.number == waits + demo.LOOKS_TO_BE_SURE


def test_missing_scores_are_told_and_missing_cries_are_not_waited_for_for_ever(quick, monkeypatch):
    monkeypatch.setattr(demo, "DRAIN_SECONDS", 0.2)
    assert not drain(Looks((0, 0)), seconds=1)
    assert drain(Looks((0, 5)), cries=1)


def test_a_workers_figures_are_read_from_its_metrics(tmp_path):
    worker = demo._Worker(None, tmp_path / "address", tmp_path / "log")
    assert worker.total(demo.OPEN_CRIES) == 0
    metrics = Metrics(CollectorRegistry())
    metrics.own(Share.SOUND, [0])
    for number in range(3):
        infant = f"infant-{number}"
        metrics.admit(Admission(f"mon-{number}", infant, "nicu", "cot", 0))
        metrics.cry_active.labels("nicu", "cot", infant).set(number > 0)
    metrics.segments.labels("scored").inc(7)
    metrics.segments.labels("embedded").inc(6)
    metrics.begun = 32
    server, thread = start_http_server(0, addr="127.0.0.1", registry=metrics.registry)
    worker.address = f"http://127.0.0.1:{server.server_port}/metrics"
    series = (demo.OPEN_CRIES, demo.CLOSED_CRIES, demo.READY_SERIES)
    assert [worker.total(name) for name in series] == [2, 7, 32]
    server.shutdown()
    server.server_close()
    thread.join()
    assert worker.total(demo.READY_SERIES) == 0
