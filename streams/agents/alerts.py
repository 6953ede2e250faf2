"""The alerts agent: `deviations` to Alertmanager, at once; and to the series of the backstop.

It reads with a consumer and a group of its own, as the timeline's: an Alertmanager that is away
holds up no infant's score, and not even the reading of deviations, which Prometheus' rules depend
on.

What is delivered is a state, not events: who is to be alerted about now. It follows from the last
deviations of each infant, so whoever takes a partition over reads those first. Alertmanager is
told when the state changes, and again every minute; an alert that is not renewed ends there by
itself. Offsets are committed when it has taken the state that follows from them.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.admissions import AdmissionsReader
from streams.alerting.alertmanager import Alert, Alertmanager, patient_alert
from streams.alerting.course import Course
from streams.alerting.metrics import AlertMetrics
from streams.alerting.notices import Addresses
from streams.errors import AlertmanagerError, RefusedMessage
from streams.kafka.connection import GATHERED, connection
from streams.kafka.membership import Membership
from streams.kafka.topics import DEVIATIONS
from streams.metrics.shown import Metrics, Share
from streams.records.deviation import DeviationRecord
from streams.settings import Settings

logger = logging.getLogger(__name__)
# Without news it is looked this often; news are taken as they come.
ROUND_MS = 500
BATCH_RECORDS = 500
RENEW_SECONDS = 60.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 1.0, 30.0
CERTIFICATE_SECONDS = 3600.0
# Of each partition: with three infants on one these are some days of each.
LAST_DEVIATIONS = 500
# Who comes again after this is not alerted about for the cries of the stay before.
STAY_GAP_MS = 24 * 60 * 60 * 1000
# As the worker's other consumers: see `app.HEARTBEATS_PER_SESSION`.
HEARTBEATS_PER_SESSION = 3


class AlertsAgent(ConsumerRebalanceListener):
    """Reads, keeps each infant's course, posts, commits.

    Args:
        alertmanager: who is told; None leaves that to Prometheus.
        admissions: who lies where: alerts are of admitted infants only.
        metrics: shows each infant's last cry and course, which Prometheus' rules read.
        told: shows whether alerts get through.
        settings: where the broker is.
    """

    def __init__(
        self,
        alertmanager: Alertmanager | None,
        admissions: AdmissionsReader,
        metrics: Metrics,
        told: AlertMetrics,
        settings: Settings,
    ) -> None:
        self._alertmanager = alertmanager
        self._admissions = admissions
        self._metrics = metrics
        self._told = told
        self._settings = settings
        self._membership = Membership(settings.session_timeout_seconds)
        metrics.trust(Share.COURSES, self._membership)
        self._addresses = Addresses(settings.runbooks_url, settings.grafana_url)
        self._begin()

    def _begin(self) -> None:
        self._courses: dict[str, tuple[int, Course]] = {}
        self._posted: dict[tuple, Alert] = {}
        self._new: set[tuple[str, str]] = set()  # (infant, alert) whose delay is yet to be told
        # By partition: from where on it is news, what is committed, and up to where courses are
        # rebuilt.
        self._known: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int | None] = {}
        self._rebuilding: dict[TopicPartition, int] = {}
        self._failure: Exception | None = None
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._next_post = self._next_renewal = self._next_certificate = 0.0

    async def run(self) -> None:
        """Follow the topic until cancelled; whatever goes wrong is tried again."""
        await self._admissions.caught_up.wait()
        try:
            while True:
                try:
                    await self._follow()
                except (KafkaError, OSError) as error:
                    logger.warning("`deviations` cannot be read for alerts: %s", error)
                except Exception:
                    logger.exception("The alerts agent begins again.")
                await asyncio.sleep(FIRST_RETRY_SECONDS)
        finally:
            if self._alertmanager is not None:
                await self._alertmanager.close()

    async def _follow(self) -> None:
        session_ms = int(1000 * self._settings.session_timeout_seconds)
        self._consumer = AIOKafkaConsumer(
            **connection(self._settings),
            **GATHERED,
            group_id=f"{self._settings.app_id}-alerts",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // HEARTBEATS_PER_SESSION,
        )
        self._consumer.subscribe([DEVIATIONS.name(self._settings)], listener=self)
        await self._consumer.start()
        try:
            while self._failure is None:
                batch = await self._consumer.getmany(timeout_ms=ROUND_MS, max_records=BATCH_RECORDS)
                self._hear({tp: batch[tp] for tp in batch if await self._is_due(tp, batch[tp])})
                await self._look()
            raise self._failure
        finally:
            self._metrics.own(Share.COURSES, ())
            await self._consumer.stop()
            self._begin()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin with the last deviations before what is new."""
        try:
            await self._take_over(list(assigned))
        except Exception as error:  # aiokafka would go on as if nothing had been
            self._failure = error

    async def _take_over(self, tps: list[TopicPartition]) -> None:
        begins = await self._consumer.beginning_offsets(tps) if tps else {}
        ends = await self._consumer.end_offsets(tps) if tps else {}
        committed = {tp: await self._consumer.committed(tp) for tp in tps}
        known = {tp: ends[tp] if at is None else at for tp, at in committed.items()}
        for tp in tps:
            start = min(known[tp], ends[tp] - LAST_DEVIATIONS)
            self._consumer.seek(tp, max(begins[tp], start))
        self._drop({tp.partition for tp in tps})
        self._known.update(known)
        self._committed.update(committed)
        self._rebuilding.update(ends)
        self._membership.follow(self._consumer)
        self._metrics.own(Share.COURSES, {tp.partition for tp in tps})

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Leave infants to whoever gets their partitions: neither shown nor ended here."""
        self._metrics.own(Share.COURSES, ())  # all are taken, and some given again
        self._drop({tp.partition for tp in revoked})
        for tp in revoked:
            for kept in (self._known, self._committed, self._rebuilding):
                kept.pop(tp, None)

    def _drop(self, partitions: set[int]) -> None:
        infants = {name for name, (at, _) in self._courses.items() if at in partitions}
        for infant in infants:
            del self._courses[infant]
        self._posted = {
            key: alert
            for key, alert in self._posted.items()
            if dict(alert.labels)["infant"] not in infants
        }

    async def _is_due(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> bool:
        """Whether records come from where this worker began: not from before its seek."""
        with contextlib.suppress(KafkaError):  # another worker's by now
            position = await self._consumer.position(tp)
            return tp in self._known and position == records[-1].offset + 1
        return False

    def _hear(self, batch: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        for tp, records in batch.items():
            for record in records:
                try:
                    said = DeviationRecord.from_json(record.value)
                except RefusedMessage:
                    continue  # the timeline agent buries it
                if not said.infant:
                    continue
                _, course = self._courses.setdefault(said.infant, (tp.partition, Course()))
                before = set(course.since_ms)
                course.hear(said)
                if record.offset >= self._known.get(tp, 0):
                    self._new |= {(said.infant, name) for name in set(course.since_ms) - before}

    async def _look(self) -> None:
        """Show every course, and say what has changed."""
        if not await self._rebuilt():
            return
        active = self._active()
        self._told.looked.set_to_current_time()
        if self._alertmanager is not None and not await self._tell(active):
            return
        await self._commit()

    async def _rebuilt(self) -> bool:
        """Whether courses are those of now: alerts of long ago are nobody's news."""
        for tp, end in list(self._rebuilding.items()):
            with contextlib.suppress(KafkaError):  # another worker's by now
                if await self._consumer.position(tp) >= end:
                    self._rebuilding.pop(tp, None)
        return not self._rebuilding

    def _active(self) -> dict[tuple, Alert]:
        active = {}
        for admission in self._admissions.admissions:
            _, course = self._courses.get(admission.infant, (0, None))
            if course is None or course.last_ms < admission.admitted_at_ms - STAY_GAP_MS:
                continue
            place = (admission.ward, admission.bed, admission.infant)
            self._metrics.course(place, course)
            for name, since_ms in course.since_ms.items():
                alert = patient_alert(name, place, course.value(name), since_ms, self._addresses)
                active[alert.labels] = alert
        return active

    async def _tell(self, active: dict[tuple, Alert]) -> bool:
        """Bring Alertmanager up to date; returns whether it is."""
        assert self._alertmanager is not None
        began = [alert for labels, alert in active.items() if labels not in self._posted]
        ended = [alert for labels, alert in self._posted.items() if labels not in active]
        moment = time.monotonic()
        renew = bool(active) and moment >= self._next_renewal
        if not (began or ended or renew):
            self._told.waiting.set(0)
            return True
        self._told.waiting.set(len(began) + len(ended))
        if moment < self._next_post:
            return False
        try:
            await self._alertmanager.post(list(active.values()), ended, time.time())
        except AlertmanagerError as error:
            self._told.posts.labels("failed").inc()
            self._told.waiting.set(len(began) + len(ended) or len(active))
            logger.warning(
                "Alertmanager did not take %d alerts, trying again in %g s: %s",
                len(active) + len(ended), self._retry_seconds, error,
            )  # fmt: skip
            self._next_post = time.monotonic() + self._retry_seconds
            self._retry_seconds = min(2 * self._retry_seconds, LAST_RETRY_SECONDS)
            return False
        self._told.posts.labels("taken").inc()
        self._told.waiting.set(0)
        self._posted = active
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._next_renewal = moment + RENEW_SECONDS
        self._tell_delays(began)
        await self._certificate(moment)
        return True

    def _tell_delays(self, began: Iterable[Alert]) -> None:
        for alert in began:
            labels = dict(alert.labels)
            if (labels["infant"], labels["alertname"]) in self._new:
                self._told.delay.observe(max(0.0, time.time() - alert.since_ms / 1000))
        self._new.clear()

    async def _certificate(self, moment: float) -> None:
        if moment < self._next_certificate:
            return
        self._next_certificate = moment + CERTIFICATE_SECONDS
        try:
            shown = await self._alertmanager.certificate()
        except AlertmanagerError as error:
            logger.warning("Of Alertmanager it is not known when its certificate ends: %s", error)
            return
        if shown is not None:
            whose, ends_at = shown
            self._told.certificate_expiry.labels(whose).set(ends_at)

    async def _commit(self) -> None:
        positions = {}
        # Not what the consumer still calls its own: a commit during a rebalance begins another one.
        for tp, committed in list(self._committed.items()):
            with contextlib.suppress(KafkaError):  # another worker's by now
                position = await self._consumer.position(tp)
                if position != committed:
                    positions[tp] = position
        positions = {tp: position for tp, position in positions.items() if tp in self._committed}
        if not positions:
            return
        try:
            await self._consumer.commit(positions)
        except KafkaError as error:
            logger.info("A commit of the alerts came to nothing: %s", error)
            return
        self._committed.update((tp, at) for tp, at in positions.items() if tp in self._committed)
