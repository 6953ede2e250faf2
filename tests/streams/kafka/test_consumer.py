"""Which records the consumer hands on, where stock Faust would lose some."""

import asyncio
import logging
from dataclasses import dataclass
from time import monotonic
from types import SimpleNamespace

import pytest
from faust.sensors import Monitor
from faust.types import TP
from mode.utils.logging import CompositeLogger

from streams.kafka.batch import ChunkBatch
from streams.kafka.consumer import HoldingConsumer
from streams.kafka.offsets import Acknowledged, HeldOffsets, Progress
from tests.streams.kafka.test_batch import Record

CHUNKS = TP("chunks", 0)
PLACES_BUILT_ON = [
    "_add_gap",
    "_commit",
    "_filter_committable_offsets",
    "_filter_tps_with_pending_acks",
    "_is_changelog_tp",
    "_seek",
    "_wait_next_records",
    "ack",
    "getmany",
    "on_partitions_revoked",
    "perform_seek",
    "stop_flow",
    "verify_event_path",
]


class Reading(HoldingConsumer):
    """Only the decisions, with seeks written down instead of sent to a broker."""

    chunks_topic = "chunks"
    batch_chunks = 3

    def __init__(self, begins: int | None) -> None:
        self.acknowledged = Acknowledged()
        self._expected, self._jumps, self._stale, self._read_offset = {}, {}, set(), {}
        if begins is not None:
            self.acknowledged.begin(CHUNKS, begins)
            self._expected[CHUNKS] = begins
        self._unacked_messages, self._waiting_for_ack, self._n_acked = set(), None, 0
        self._under_way, self._room = set(), asyncio.Event()
        self.active = self.flow_active = True
        self.app = SimpleNamespace(
            flow_control=SimpleNamespace(is_active=lambda: self.active),
            topics=SimpleNamespace(acks_enabled_for=lambda topic: True),
            consumer_generation_id=1,
            monitor=Monitor(),
        )
        self.held_offsets = HeldOffsets()
        self.suspend_flow = asyncio.Event()
        self.log = CompositeLogger(logging.getLogger("test"), formatter=None)
        self.seeks: list[int] = []

    def assignment(self):
        return {CHUNKS}

    def highwater(self, tp):
        return 100

    @property
    def should_stop(self):
        return False

    async def wait_first(self, *waiting):
        await asyncio.wait([asyncio.create_task(w) for w in waiting], return_when="FIRST_COMPLETED")

    async def _seek(self, partition, offset):
        self.seeks.append(offset)

    def due(self, offset: int) -> bool:
        due = asyncio.run(self._is_due(CHUNKS, offset))
        if due:
            self._expected[CHUNKS] = offset + 1
        return due

    def acknowledge(self, offset: int, generation: int = 1) -> None:
        self.ack(Arrived(offset, generation))

    def committable(self) -> dict[TP, int]:
        return self._filter_committable_offsets(self._filter_tps_with_pending_acks())


@dataclass(eq=False)
class Arrived:
    offset: int
    generation_id: int = 1
    topic: str = "chunks"
    tp: TP = CHUNKS
    acked: bool = False


def record(offset: int) -> Record:
    return Record(CHUNKS.partition, offset)


def test_the_expected_record_is_handed_on():
    assert Reading(5).due(5)


def test_nothing_is_handed_on_before_its_start_is_known():
    assert not Reading(None).due(7)


def test_a_record_that_was_handed_on_before_is_not_again():
    reading = Reading(5)
    assert not reading.due(4)
    assert reading.seeks == []


def test_records_from_before_a_seek_do_not_pass_for_a_gap():
    reading = Reading(3)
    assert [reading.due(offset) for offset in (16, 17, 18, 19)] == [False] * 4
    assert reading.seeks == [3] * 4
    assert reading.due(3)


def test_a_gap_that_stays_after_seeking_back_is_accepted_and_committed_over():
    reading = Reading(3)
    assert [reading.due(6) for _ in range(3)] == [False, False, True]
    reading.acknowledge(6)
    assert reading.committable() == {CHUNKS: 7}


def test_a_commit_ends_before_a_record_that_was_lost_in_a_queue():
    reading = Reading(3)
    for offset in (3, 5, 6):
        reading.acknowledge(offset)
    assert reading.committable() == {CHUNKS: 4}


def test_after_a_failure_no_commit_is_waited_for():
    reading = Reading(begins=0)  # it has no thread that could commit
    reading.held_offsets.stop_commits()
    assert asyncio.run(reading._commit({CHUNKS: 1})) is False


def test_a_partition_that_has_just_come_is_not_called_stuck(caplog):
    reading = Reading(begins=0)  # Faust would ask its thread since when, and it has none
    reading.verify_event_path(monotonic() + 600, CHUNKS)
    assert caplog.messages == []


def test_what_was_lost_when_the_flow_stopped_is_read_again():
    reading = Reading(3)
    assert [reading.due(offset) for offset in (3, 4, 5)] == [True] * 3
    reading.acknowledge(3)
    reading._stale.add(CHUNKS)  # as `stop_flow` does
    assert not reading.due(6)
    asyncio.run(reading._seek_stale())
    assert reading.seeks == [4]
    # Faust drops what lies before its own read offset.
    assert reading._read_offset[CHUNKS] == 4
    assert [reading.due(offset) for offset in (4, 5)] == [True, True]


def test_what_a_stopped_flow_does_not_take_is_read_again_once_it_flows():
    reading = Reading(3)
    reading.active = False
    assert not reading.due(3)
    asyncio.run(reading._seek_stale())
    assert reading.seeks == []
    reading.active = True
    asyncio.run(reading._seek_stale())
    assert reading.seeks == [3]
    assert reading.due(3)


def test_neither_an_old_generation_nor_what_was_passed_over_counts_as_dealt_with():
    reading = Reading(3)
    reading.acknowledge(3, generation=0)
    passed = Arrived(3)
    reading.pass_over(passed)
    reading.ack(passed)
    assert reading.committable() == {}


def batches(reading: Reading, *parts: list[int], generation: int = 1) -> list[list[int]]:
    """The offsets of the batches handed on of what was fetched, each dealt with at once."""

    async def take() -> list[list[int]]:
        taken = []
        for offsets in parts:
            reading._fetched = {CHUNKS: [record(offset) for offset in offsets]}
            reading._fetched_in = generation
            async for batch in reading._batches():
                taken.append([chunk.offset for chunk in batch.records()])
                reading.ack(batch)
        return taken

    return asyncio.run(take())


def test_what_is_due_is_handed_on_in_batches_and_counts_whole():
    reading = Reading(3)
    reading.held_offsets.resume(CHUNKS.partition, Progress(3, 3))
    assert batches(reading, [3, 4, 5, 6], [6, 7]) == [[3, 4, 5], [6], [7]]
    assert reading.committable() == {CHUNKS: 8}
    assert reading.held_offsets.first(0) == 3


def test_a_batch_counts_without_what_was_taken_out_of_it():
    reading = Reading(3)
    batch = ChunkBatch({CHUNKS: [record(3), record(4)]}, 1)
    del batch.parts[CHUNKS][1]
    reading.ack(batch)
    assert reading.committable() == {CHUNKS: 4}


def test_what_was_fetched_before_a_rebalance_is_read_again():
    reading = Reading(3)
    assert batches(reading, [3, 4], generation=0) == []
    assert reading._stale == {CHUNKS}


def test_no_more_batches_are_handed_on_than_are_dealt_with():
    async def take(reading: Reading) -> list[int]:
        reading._fetched = {CHUNKS: [record(offset) for offset in range(3, 12)]}
        reading._fetched_in = 1
        handed, under_way = [], []

        async def hand() -> None:
            async for batch in reading._batches():
                handed.append(batch)

        handing = asyncio.create_task(hand())
        for _ in range(5):
            await asyncio.sleep(0.01)
            under_way.append(len(reading._under_way))
            if reading._under_way:
                reading.ack(handed[len(handed) - len(reading._under_way)])
        await handing
        assert [batch.offset for batch in handed] == [3, 6, 9]
        return under_way

    assert max(asyncio.run(take(Reading(3)))) == 2


@pytest.mark.parametrize("name", PLACES_BUILT_ON)
def test_what_is_built_on_in_faust_is_still_there(name):
    from faust.transport.drivers.aiokafka import Consumer

    assert hasattr(Consumer, name)


@pytest.mark.parametrize(
    "name", ["_fetch_max_wait_ms", "_fetch_min_bytes", "_max_partition_fetch_bytes"]
)
def test_what_is_set_in_aiokafka_is_still_there(name):
    from aiokafka import AIOKafkaConsumer

    async def consumer() -> AIOKafkaConsumer:
        return AIOKafkaConsumer()

    assert hasattr(asyncio.run(consumer()), name)
