"""Which records the consumer hands on, where stock Faust would lose some."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.consumer import HoldingConsumer

CHUNKS = TP("chunks", 0)


class Reading(HoldingConsumer):
    """Only the decision, with seeks written down instead of sent to a broker."""

    def __init__(self, expected: int | None) -> None:
        self._sought, self._jumps, self._stale = {}, {}, set()
        self._expected = {} if expected is None else {CHUNKS: expected}
        self.active = True
        self.app = SimpleNamespace(flow_control=SimpleNamespace(is_active=lambda: self.active))
        self.log = logging.getLogger("test")
        self.seeks: list[int] = []

    async def _seek(self, partition, offset):
        self.seeks.append(offset)

    def due(self, offset: int) -> bool:
        return asyncio.run(self._is_due(CHUNKS, offset))


def test_the_expected_record_is_handed_on():
    assert Reading(5).due(5)
    assert Reading(None).due(7)


def test_a_record_that_was_handed_on_before_is_not_again():
    reading = Reading(5)
    assert not reading.due(4)
    assert reading.seeks == []


def test_records_from_before_a_seek_do_not_pass_for_a_gap():
    reading = Reading(3)
    assert [reading.due(offset) for offset in (16, 17, 18, 19)] == [False] * 4
    assert reading.seeks == [3] * 4
    assert reading.due(3)


def test_a_gap_that_stays_after_seeking_back_is_accepted():
    reading = Reading(3)
    assert [reading.due(6) for _ in range(3)] == [False, False, True]


def test_while_nobody_takes_records_the_first_one_is_remembered():
    reading = Reading(None)
    reading.active = False
    assert not reading.due(8)
    assert not reading.due(9)
    assert reading._expected == {CHUNKS: 8}
    assert reading._stale == {CHUNKS}


@pytest.mark.parametrize("name", ["_seek", "perform_seek", "getmany", "ack", "_is_changelog_tp"])
def test_what_is_built_on_in_faust_is_still_there(name):
    from faust.transport.drivers.aiokafka import Consumer

    assert hasattr(Consumer, name)
