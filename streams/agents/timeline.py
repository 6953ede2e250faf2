"""The timeline agent: `deviations` and `acts` to the rows of the timeline's store.

It reads with a consumer and a group of its own, not as a Faust agent. A store may be away for
hours, and Faust neither rebalances while a record is unacknowledged nor reads anything while one
agent's queue is full: the ward would go unheard because a database is down. Here a batch that
cannot be written is let go and read again, so that nothing waits for the store but its rows.

Offsets are committed after the store has said that it has the rows. Whatever comes in between, the
next owner writes the same rows again under the same ids.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.agents.sending import Sender
from streams.errors import RefusedMessage, TimelineError
from streams.kafka.connection import GATHERED, connection
from streams.kafka.topics import ACTS, DEVIATIONS
from streams.metrics.shown import Metrics
from streams.records.deviation import DeviationRecord
from streams.settings import Settings
from streams.timeline.acts import Act
from streams.timeline.store import TimelineStore
from streams.timeline.tables import Row, checked

logger = logging.getLogger(__name__)
# Alone a row takes some 6 ms, in a batch a tenth of one. A cry waits this long at most.
BATCH_RECORDS = 500
WAIT_MS = 1000
# From the first failure to what a store that comes back is left waiting at most.
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 1.0, 30.0
PRUNE_SECONDS = 3600.0
# As the worker's other consumer: see `app.HEARTBEATS_PER_SESSION`.
HEARTBEATS_PER_SESSION = 3
_DAY_MS = 24 * 60 * 60 * 1000

# What becomes a row, and what it is read as.
RECORDS = ((DEVIATIONS, DeviationRecord), (ACTS, Act))

Batch = Mapping[TopicPartition, Sequence[ConsumerRecord]]


class TimelineAgent(ConsumerRebalanceListener):
    """Reads, writes, commits; and removes what is too old.

    Args:
        store: asked from threads only, so that the event loop never waits for it.
        sender: the way to the dead letters.
        metrics: what is shown.
        settings: where the broker is, and how long rows are kept.
    """

    def __init__(
        self, store: TimelineStore, sender: Sender, metrics: Metrics, settings: Settings
    ) -> None:
        self._store = store
        self._sender = sender
        self._metrics = metrics
        self._settings = settings
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._next_prune = 0.0
        # Not what the consumer calls its own: during a rebalance that is still the share of before.
        self._ours: set[TopicPartition] = set()

    async def run(self) -> None:
        """Follow the topic until cancelled; whatever goes wrong is tried again."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                await self._wait("What the timeline is made of cannot be read", error)
            except Exception as error:
                logger.exception("The timeline agent begins again.")
                await self._wait("The timeline agent failed", error)

    async def _follow(self) -> None:
        session_ms = int(1000 * self._settings.session_timeout_seconds)
        consumer = AIOKafkaConsumer(
            **connection(self._settings),
            **GATHERED,
            group_id=f"{self._settings.app_id}-timeline",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // HEARTBEATS_PER_SESSION,
        )
        topics = [topic.name(self._settings) for topic, _ in RECORDS]
        consumer.subscribe(topics, listener=self)
        await consumer.start()
        try:
            while True:
                batch = await consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH_RECORDS)
                try:
                    await self._write(batch)
                    await self._prune()
                except (TimelineError, KafkaError) as error:
                    _rewind(consumer, batch)
                    await self._show_lag(consumer)
                    await self._wait("Rows wait on the broker", error)
                else:
                    self._retry_seconds = FIRST_RETRY_SECONDS
                    await self._commit(consumer, batch)
                    await self._show_lag(consumer)
        finally:
            await consumer.stop()
            self._ours.clear()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Write what comes of these."""
        self._ours = set(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Leave what is not committed to whoever gets them."""
        self._ours -= set(revoked)

    async def _write(self, batch: Batch) -> None:
        kinds = {topic.name(self._settings): kind for topic, kind in RECORDS}
        rows: list[Row] = []
        refused = []
        for tp, records in batch.items():
            for record in records:
                try:
                    row = kinds[tp.topic].from_json(record.value)
                    checked(row)
                except RefusedMessage as error:
                    refused.append((error, record))
                else:
                    rows.append(row)
        if rows:
            await asyncio.to_thread(self._store.write, rows)
            self._metrics.timeline_rows.inc(len(rows))
            self._metrics.timeline_last_write.set_to_current_time()
        # Last: what is read again because the store was away is not to be buried twice.
        await self._sender.bury(refused)

    async def _prune(self) -> None:
        if time.monotonic() < self._next_prune:
            return
        before_ms = int(time.time() * 1000) - self._settings.timeline_days * _DAY_MS
        removed = await asyncio.to_thread(self._store.prune, before_ms)
        self._next_prune = time.monotonic() + PRUNE_SECONDS
        if removed:
            logger.info("%d rows of the timeline were too old.", removed)

    async def _show_lag(self, consumer: AIOKafkaConsumer) -> None:
        lag = 0
        for tp in consumer.assignment():
            with contextlib.suppress(KafkaError):  # another worker's by now
                end = consumer.highwater(tp)
                if end is not None:
                    lag += max(0, end - await consumer.position(tp))
        self._metrics.timeline_lag.set(lag)

    async def _commit(self, consumer: AIOKafkaConsumer, batch: Batch) -> None:
        # A commit during a rebalance begins another one.
        offsets = {tp: records[-1].offset + 1 for tp, records in batch.items() if tp in self._ours}
        if not offsets:
            return
        try:
            await consumer.commit(offsets)
        except KafkaError as error:
            # Another worker has the partition, or a later commit says as much.
            logger.info("A commit of the timeline came to nothing: %s", error)

    async def _wait(self, what: str, error: Exception) -> None:
        self._metrics.timeline_failures.inc()
        logger.warning("%s, trying again in %g s: %s", what, self._retry_seconds, error)
        await asyncio.sleep(self._retry_seconds)
        self._retry_seconds = min(2 * self._retry_seconds, LAST_RETRY_SECONDS)


def _rewind(consumer: AIOKafkaConsumer, batch: Batch) -> None:
    for tp, records in batch.items():
        with contextlib.suppress(KafkaError):  # another worker's by now
            consumer.seek(tp, records[0].offset)
