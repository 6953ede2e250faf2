"""The quiet agent: `quiet-hours` to silences in Alertmanager.

Every worker reads all rules; those of a ward are kept by the worker that owns the ward's partition
of `deviations`, so that each has one keeper.
"""

import asyncio
import logging
import time

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.alerting.quiet import due, rule_of
from streams.alerting.silences import Silences
from streams.errors import AlertmanagerError, BrokerError, RefusedMessage
from streams.kafka.connection import connection
from streams.kafka.reading import read_once
from streams.kafka.topics import QUIET_HOURS, no_topic, partition_counts
from streams.metrics.shown import Metrics, Share
from streams.records.quiet_hours import QuietHours
from streams.settings import Settings

logger = logging.getLogger(__name__)
POLL_MS = 500
# The next hours are asked for when the last ones have ended: an alert of low priority waits longer
# than that before anybody is told.
LOOK_SECONDS = 10.0
RETRY_SECONDS = 5.0


class QuietAgent:
    """Follows the rules, and keeps Alertmanager's silences to them.

    Args:
        silences: of the Alertmanager.
        metrics: knows which wards are this worker's to keep.
        settings: where the broker is.
    """

    def __init__(self, silences: Silences, metrics: Metrics, settings: Settings) -> None:
        self._silences = silences
        self._metrics = metrics
        self._settings = settings
        self._failure = ""  # that was told last, and lasts

    async def run(self) -> None:
        """Follow the topic until cancelled; whatever goes wrong is tried again."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                logger.warning("Quiet hours cannot be read: %s", error)
            except Exception:
                logger.exception("The quiet agent begins again.")
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            **connection(self._settings), group_id=None, enable_auto_commit=False
        )
        await consumer.start()
        try:
            name = QUIET_HOURS.name(self._settings)
            tps = [TopicPartition(name, number) for number in range(self._settings.partitions)]
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            ends = await consumer.end_offsets(tps)
            rules: dict[str, QuietHours] = {}
            known, next_look = False, 0.0
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MS)
                for records in batches.values():
                    for record in records:
                        apply(rules, record.key, record.value)
                known = known or all([await consumer.position(tp) >= ends[tp] for tp in tps])
                if known and (batches or time.monotonic() >= next_look):
                    await self._keep(rules)
                    next_look = time.monotonic() + LOOK_SECONDS
        finally:
            await consumer.stop()

    async def _keep(self, rules: dict[str, QuietHours]) -> None:
        ours = [rule for rule in rules.values() if self._metrics.owns(Share.COURSES, rule.ward)]
        try:
            await asyncio.to_thread(self._bring_about, ours)
        except AlertmanagerError as error:
            if str(error) != self._failure:
                logger.warning("Quiet hours are not brought about: %s", error)
            self._failure = str(error)
        else:
            if self._failure:
                logger.warning("Quiet hours are brought about again.")
            self._failure = ""

    def _bring_about(self, rules: list[QuietHours]) -> None:
        wanted = {one.rule.id: one for one in due(rules, int(time.time() * 1000))}
        met = set()
        for silence in self._silences.all():
            rule = rule_of(silence)
            if rule is None or not self._metrics.owns(Share.COURSES, rule.rpartition("/")[0]):
                continue
            if rule in wanted and rule not in met and wanted[rule].is_met(silence):
                met.add(rule)
            else:
                self._silences.lift(silence.id)
        for name in wanted.keys() - met:
            one = wanted[name]
            self._silences.add(one.matchers, one.until_ms, one.rule.who, one.why, one.from_ms)


def apply(rules: dict[str, QuietHours], key: bytes | None, value: bytes | None) -> None:
    """Take over one record of the topic; what is no rule takes none back, and is none."""
    name = (key or b"").decode(errors="replace")
    if value is None:
        rules.pop(name, None)
        return
    try:
        rule = QuietHours.from_json(value)
    except (RefusedMessage, TypeError) as error:
        logger.error("A rule of quiet hours is refused: %s.", error)
        return
    if rule.id == name:
        rules[name] = rule


async def read_quiet_hours(settings: Settings) -> dict[str, QuietHours]:
    """The rules in force, by id, read once.

    Raises:
        BrokerError: the topic does not exist, or the broker cannot be asked.
    """
    topic = QUIET_HOURS.name(settings)
    count = (await partition_counts(settings)).get(topic)
    if count is None:
        raise no_topic(settings, topic)
    rules: dict[str, QuietHours] = {}
    try:
        async for record, _ in read_once(settings, topic, range(count)):
            apply(rules, record.key, record.value)
    except (KafkaError, OSError) as error:
        raise BrokerError(f"Quiet hours cannot be read: {error}.") from None
    return rules
