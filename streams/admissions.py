"""Who lies at which monitor: the compacted topic `admissions`, read whole by every worker."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import BrokerError, Refusal, RefusedMessage
from streams.kafka.connection import connection, refusal
from streams.kafka.reading import read_once
from streams.kafka.topics import ADMISSIONS, no_topic, partition_counts
from streams.records.admission import Admission
from streams.records.place import Place
from streams.settings import Settings

logger = logging.getLogger(__name__)
RETRY_SECONDS = 2.0


class Admissions:
    """The admissions in force, by monitor."""

    def __init__(self, admissions: Iterable[Admission] = ()) -> None:
        self._by_monitor = {admission.monitor: admission for admission in admissions}

    def __iter__(self):
        return iter(list(self._by_monitor.values()))

    def admit(self, admission: Admission) -> None:
        """Put an infant at a monitor."""
        self._by_monitor[admission.monitor] = admission

    def discharge(self, monitor: str) -> Admission | None:
        """Take the infant from a monitor; returns what ended, if anything did."""
        return self._by_monitor.pop(monitor, None)

    def apply(
        self, key: bytes | None, value: bytes | None
    ) -> tuple[Admission | None, Admission | None]:
        """Take over one record of the topic.

        Returns:
            the admission that it ends and the one that it begins, if any.

        Raises:
            RefusedMessage: it is no admission, or another monitor's than its key says: a later
                tombstone of the key could not end it.
        """
        monitor = (key or b"").decode(errors="replace")
        if value is None:
            return self.discharge(monitor), None
        try:
            admission = Admission.from_json(value)
        except TypeError as error:
            raise RefusedMessage(Refusal.UNREADABLE, str(error)) from None
        if admission.monitor != monitor:
            raise RefusedMessage(
                Refusal.ABSURD_HEADER,
                f"the key names {monitor[:40]!r}, the record {admission.monitor!r}",
            )
        ended = self.discharge(monitor)
        self.admit(admission)
        return ended, admission

    def place(self, monitor: str, at_ms: int) -> Place:
        """Whose sound a monitor's was at a capture time (ms): without an infant, if nobody's."""
        admission = self._by_monitor.get(monitor)
        if admission is None or at_ms < admission.admitted_at_ms:
            return Place(monitor=monitor)
        return admission.place()


async def read_admissions(settings: Settings) -> dict[str, Admission]:
    """The admissions in force, by monitor, read once.

    Raises:
        BrokerError: the topic does not exist, or the broker cannot be asked.
    """
    topic = ADMISSIONS.name(settings)
    partitions = (await partition_counts(settings)).get(topic)
    if partitions is None:
        raise no_topic(settings, topic)
    admissions = Admissions()
    try:
        async for record, _ in read_once(settings, topic, range(partitions)):
            with contextlib.suppress(RefusedMessage):
                admissions.apply(record.key, record.value)
    except (KafkaError, OSError) as error:
        why = refusal(settings, error)
        raise BrokerError(f"The admissions cannot be read: {why}.") from None
    return {admission.monitor: admission for admission in admissions}


class AdmissionsReader:
    """Follows the topic and keeps an `Admissions` up to date.

    Args:
        settings: where the broker is.
        on_admit: called with every admission, after it is in force.
        on_discharge: called with every admission that ended.
    """

    def __init__(
        self,
        settings: Settings,
        on_admit: Callable[[Admission], None] = lambda admission: None,
        on_discharge: Callable[[Admission], None] = lambda admission: None,
    ) -> None:
        self.admissions = Admissions()
        self.caught_up = asyncio.Event()
        self._settings = settings
        self._on_admit = on_admit
        self._on_discharge = on_discharge

    async def run(self) -> None:
        """Follow the topic until cancelled; what the broker does wrong is tried again."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                logger.warning("Admissions cannot be read (%s); trying again.", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            **connection(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            topic = ADMISSIONS.name(self._settings)
            partitions = [TopicPartition(topic, p) for p in range(self._settings.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            # First everything up to now, aside: what is no longer so must not be so for a moment,
            # and a tombstone that was missed while the broker was away may be compacted away.
            now: Admissions | None = Admissions()
            while True:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        self._apply(record.key, record.value, now)
                if now is not None and all(
                    [await consumer.position(tp) >= ends[tp] for tp in partitions]
                ):
                    self._bring_to(now)
                    now = None
                    self.caught_up.set()
        finally:
            await consumer.stop()

    def _apply(
        self, key: bytes | None, value: bytes | None, aside: Admissions | None = None
    ) -> None:
        try:
            ended, begun = (self.admissions if aside is None else aside).apply(key, value)
        except RefusedMessage as error:
            # Read by every worker: each would write the same dead letter again and again.
            logger.error("An admission is refused: %s.", error)
            return
        if aside is None:
            self._say(ended, begun)

    def _bring_to(self, now: Admissions) -> None:
        before = {admission.monitor: admission for admission in self.admissions}
        for admission in now:
            self.admissions.admit(admission)
            self._say(before.pop(admission.monitor, None), admission)
        for monitor in before:
            self._say(self.admissions.discharge(monitor), None)

    def _say(self, ended: Admission | None, begun: Admission | None) -> None:
        if ended == begun:
            return
        if ended is not None:
            self._on_discharge(ended)
        if begun is not None:
            self._on_admit(begun)
