"""Who lies at which monitor: the compacted topic `admissions`, read whole by every worker."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import RefusedMessage
from streams.records.admission import Admission
from streams.records.place import Place
from streams.settings import Settings
from streams.topics import ADMISSIONS

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

    def place(self, monitor: str, at_ms: int) -> Place:
        """Whose sound a monitor's was at a capture time (ms): without an infant, if nobody's."""
        admission = self._by_monitor.get(monitor)
        if admission is None or at_ms < admission.admitted_at_ms:
            return Place(monitor=monitor)
        return admission.place()


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
            bootstrap_servers=self._settings.broker,
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
            while True:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        self._apply(record.key, record.value)
                if not self.caught_up.is_set():
                    positions = [await consumer.position(tp) >= ends[tp] for tp in partitions]
                    if all(positions):
                        self.caught_up.set()
        finally:
            await consumer.stop()

    def _apply(self, key: bytes | None, value: bytes | None) -> None:
        if value is None:
            ended = self.admissions.discharge((key or b"").decode(errors="replace"))
            if ended is not None:
                self._on_discharge(ended)
            return
        try:
            admission = Admission.from_json(value)
        except (RefusedMessage, TypeError) as error:
            # Read by every worker: each would write the same dead letter again and again.
            logger.error("An admission is refused: %s.", error)
            return
        before = self.admissions.discharge(admission.monitor)
        if before is not None:
            self._on_discharge(before)
        self.admissions.admit(admission)
        self._on_admit(admission)
