"""From `deviations` to rows: the agent on a real broker and a real store."""

import asyncio
import contextlib
import logging
import threading
import uuid

import pytest
from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from prometheus_client import CollectorRegistry

from streams.agents import timeline as agent_module
from streams.agents.sending import Sender
from streams.agents.timeline import TimelineAgent
from streams.app import _bare_app
from streams.errors import TimelineError
from streams.kafka.offsets import HeldOffsets
from streams.kafka.topics import ACTS, DEAD_LETTERS, DEVIATIONS
from streams.metrics.shown import Metrics
from streams.settings import Settings
from streams.timeline.store import TimelineStore, timeline_url
from tests.streams.waiting import WAIT_SECONDS, until
from tests.streams.ward import START_MS, deviation
from tests.system.brokers import embedded_broker

__all__ = ["embedded_broker"]

PARTITIONS = 2
# The agent asks the group every two seconds whether it rebalances.
REJOIN_SECONDS = 3.0
# What retention leaves alone, whenever the test runs.
FOR_EVER_DAYS = 36_500


class Ward:
    """Topics of its own, a store in a file, and agents between them."""

    def __init__(self, broker, folder) -> None:
        name = f"t{uuid.uuid4().hex[:8]}"
        self.settings = Settings(
            broker=broker.address,
            topic_prefix=f"{name}.",
            app_id=name,
            partitions=PARTITIONS,
            session_timeout_seconds=6,
            state_dir=folder / "state",
            timeline_url=f"sqlite:///{folder / 'kept' / 'timeline.sqlite3'}",
            timeline_days=FOR_EVER_DAYS,
        )
        self.folder = folder / "kept"
        topics = (DEVIATIONS, ACTS, DEAD_LETTERS)
        broker.create_topics({topic.name(self.settings): PARTITIONS for topic in topics})
        self.store = TimelineStore(timeline_url(self.settings))
        self.metrics = Metrics(CollectorRegistry())

    @contextlib.asynccontextmanager
    async def agent(self, **changes: object):
        """An agent at work; `changes` are to its settings."""
        settings, held = self.settings.model_copy(update=changes), HeldOffsets()
        app = _bare_app(settings, held)
        sender = Sender(app, settings, self.metrics, held)
        running = asyncio.create_task(
            TimelineAgent(self.store, sender, self.metrics, settings).run()
        )
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            if app._producer is not None:
                await app._producer.stop()

    async def say(self, *values: bytes) -> None:
        """Put values on `deviations`, by turns on each partition."""
        async with AIOKafkaProducer(bootstrap_servers=self.settings.broker) as producer:
            for number, value in enumerate(values):
                await producer.send_and_wait(
                    DEVIATIONS.name(self.settings), value, partition=number % PARTITIONS
                )

    async def committed(self) -> int:
        """How many records were committed as dealt with."""
        group = f"{self.settings.app_id}-timeline"
        async with AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker, group_id=group, enable_auto_commit=False
        ) as consumer:
            name = DEVIATIONS.name(self.settings)
            partitions = [TopicPartition(name, p) for p in range(PARTITIONS)]
            consumer.assign(partitions)
            return sum([await consumer.committed(tp) or 0 for tp in partitions])

    def rows(self) -> list:
        """What the store holds; nothing while it is not there."""
        with contextlib.suppress(TimelineError):
            return list(self.store.cries())
        return []

    def value(self, series: str) -> float:
        """A series without labels."""
        return self.metrics.registry.get_sample_value(series) or 0.0


@pytest.fixture
def ward(embedded_broker, tmp_path, monkeypatch) -> Ward:
    monkeypatch.setattr(agent_module, "FIRST_RETRY_SECONDS", 0.1)
    return Ward(embedded_broker, tmp_path)


def test_each_deviation_becomes_one_row_also_when_everything_is_read_again(ward):
    rows = [deviation(second) for second in range(20)]

    async def play() -> None:
        await ward.say(*[row.to_json() for row in rows + rows[:5]])
        async with ward.agent():
            await until(lambda: ward.value("vagitus_timeline_rows_total") >= 25)
        async with ward.agent(app_id=f"{ward.settings.app_id}-again"):
            await until(lambda: ward.value("vagitus_timeline_rows_total") >= 50)

    asyncio.run(play())
    assert ward.rows() == rows
    assert ward.value("vagitus_timeline_last_write_timestamp_seconds") > START_MS / 1000
    assert ward.value("vagitus_timeline_failures_total") == 0


def test_while_the_store_is_away_nothing_is_committed_and_then_all_is_written(ward):
    rows = [deviation(second) for second in range(10)]
    ward.folder.write_text("a file where the store's folder should be")

    async def play() -> None:
        await ward.say(*[row.to_json() for row in rows])
        async with ward.agent():
            await until(lambda: ward.value("vagitus_timeline_failures_total") >= 3)
            assert await ward.committed() == 0
            await until(lambda: ward.value("vagitus_timeline_lag_records") == 10)
            ward.folder.unlink()
            await until(lambda: len(ward.rows()) == 10)
            await until(lambda: ward.value("vagitus_timeline_lag_records") == 0)
        assert await ward.committed() == 10

    asyncio.run(play())
    assert ward.rows() == rows


def test_one_that_goes_on_writes_only_what_was_not_committed(ward):
    async def play() -> None:
        await ward.say(deviation(0).to_json(), deviation(1).to_json())
        async with ward.agent():
            await until(lambda: len(ward.rows()) == 2)
            await until(lambda: ward.value("vagitus_timeline_lag_records") == 0)
        await ward.say(deviation(2).to_json())
        async with ward.agent():
            await until(lambda: len(ward.rows()) == 3)
            # A row is there a moment before it is counted.
            await until(lambda: ward.value("vagitus_timeline_rows_total") >= 3)

    asyncio.run(play())
    assert ward.value("vagitus_timeline_rows_total") == 3


def test_what_is_no_deviation_goes_to_the_dead_letters_and_the_others_are_written(ward):
    broken = [b"{", deviation(1, infant="a\0b").to_json(), b"[]"]

    async def play() -> None:
        await ward.say(*broken, deviation(2).to_json())
        async with ward.agent():
            await until(lambda: len(ward.rows()) == 1)
            await until(lambda: sum_of(ward, "vagitus_dead_letters_total") == 3)

    asyncio.run(play())
    assert ward.rows() == [deviation(2)]


def sum_of(ward: Ward, series: str) -> float:
    """A series over its labels."""
    families = ward.metrics.registry.collect()
    return sum(s.value for family in families for s in family.samples if s.name == series)


class SlowStore(TimelineStore):
    """A store that takes its time, until it is let go on."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def write(self, rows) -> None:
        self.asked.set()
        self.go_on.wait(WAIT_SECONDS)
        super().write(rows)


class SlowMember(ConsumerRebalanceListener):
    """One of the group who, when it rebalances, keeps the others waiting until let go on."""

    def __init__(self) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.shares = 0

    async def on_partitions_revoked(self, revoked) -> None:
        if revoked:
            self.asked.set()
            await self.go_on.wait()

    def on_partitions_assigned(self, assigned) -> None:
        self.shares += 1


@contextlib.asynccontextmanager
async def member(ward: Ward, listener: SlowMember):
    """One of the agent's group who reads nothing."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=ward.settings.broker,
        group_id=f"{ward.settings.app_id}-timeline",
        enable_auto_commit=False,
        session_timeout_ms=6000,
        heartbeat_interval_ms=500,
    )
    consumer.subscribe([DEVIATIONS.name(ward.settings)], listener=listener)
    await consumer.start()
    try:
        yield
    finally:
        await consumer.stop()


def test_what_is_written_while_the_group_rebalances_is_not_committed(ward, caplog):
    caplog.set_level(logging.INFO, agent_module.__name__)
    ward.store = SlowStore(timeline_url(ward.settings))

    async def join(third: SlowMember) -> None:
        async with member(ward, third):
            await asyncio.Event().wait()

    async def play() -> None:
        slow, third = SlowMember(), SlowMember()
        slow.go_on.set()
        third.go_on.set()
        async with member(ward, slow), ward.agent():
            await until(lambda: slow.shares >= 2)
            slow.go_on.clear()
            slow.asked.clear()
            await ward.say(deviation(0).to_json(), deviation(1).to_json())
            await until(ward.store.asked.is_set)
            joining = asyncio.create_task(join(third))  # waits until all have their shares
            await until(slow.asked.is_set)
            await asyncio.sleep(REJOIN_SECONDS)
            ward.store.go_on.set()
            await until(ward.rows)
            await asyncio.sleep(REJOIN_SECONDS)
            slow.go_on.set()
            assert "came to nothing" not in caplog.text  # nor was it tried
            await until(lambda: third.shares)
            await asyncio.sleep(REJOIN_SECONDS)
            assert (slow.shares, third.shares) == (3, 1)
            joining.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await joining
        async with ward.agent():
            await until(lambda: len(ward.rows()) == 2)

    asyncio.run(play())


def test_rows_that_are_older_than_is_set_are_removed(ward):
    ward.store.write([deviation(0)])

    async def play() -> None:
        async with ward.agent(timeline_days=30):
            await until(lambda: ward.rows() == [])

    asyncio.run(play())
