"""The check-up: what a worker needs, each point with what to do about it."""

import asyncio
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import starmap

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from streams.alerting.silences import Silences
from streams.alerting.thresholds import THRESHOLDS
from streams.app import Models
from streams.errors import (
    AlertmanagerError,
    BrokerError,
    ModelError,
    RefusedMessage,
    SettingsError,
    TimelineError,
)
from streams.kafka.broker_certificates import broker_certificates
from streams.kafka.certificates import expiry
from streams.kafka.connection import certificate_files, connection, identity, refusal
from streams.kafka.topics import AUDIO_CHUNKS, connect_admin, partition_counts, topic_configs
from streams.records.cloudevent import CloudEvent
from streams.settings import Settings
from streams.timeline.store import TimelineStore, timeline_url
from streams.words import counted

# More than this between two clocks and "silent for five seconds" means nothing.
MAX_CLOCK_DIFFERENCE_MS = 2000
SECOND_MS = 1000
FETCH_SECONDS = 5.0
# Whoever sends now sends a chunk a second.
LISTEN_SECONDS = 2.5
DAY_SECONDS = 24 * 60 * 60
TOPIC_AUTHORIZATION_FAILED = 29
MANUAL = "docs/operate.md, Encryption and identities"


@dataclass(frozen=True, slots=True)
class Finding:
    """One point of the check-up."""

    what: str
    good: bool
    detail: str
    advice: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Check everything; later points are left out where an earlier one makes them moot."""
    findings = [_models(settings)]
    if not timeline_url(settings).startswith("sqlite"):  # a file comes with the first cry
        findings.append(await asyncio.to_thread(_timeline, settings))
    if settings.alertmanager_url:
        findings.append(await asyncio.to_thread(_alertmanager, settings))
    plain = settings.kafka_security == "plaintext"
    try:
        counts = await partition_counts(settings)
    except BrokerError as error:
        advice = "start the broker, or set VAGITUS_BROKER to where it listens"
        if not plain:
            advice += f"; what it may want else: {MANUAL}"
        return [*findings, Finding("broker", False, str(error), advice)]
    except SettingsError as error:
        return [*findings, Finding("broker", False, str(error), f"see {MANUAL}")]
    how = "not encrypted" if plain else f"encrypted, and knows us as {identity(settings)}"
    findings.append(Finding("broker", True, f"answers at {settings.broker}: {how}"))
    findings += await _certificates(settings)
    findings += _topics(settings, counts)
    findings += await _configs(settings, set(counts))
    findings.append(await _clock(settings, counts.get(AUDIO_CHUNKS.name(settings), 0)))
    return findings


def _models(settings: Settings) -> Finding:
    try:
        models = Models.load(settings)
    except ModelError as error:
        return Finding("models", False, str(error), "install again, or set VAGITUS_WEIGHTS_DIR")
    versions = (models.detector.version, models.embedder.version, models.ward.version)
    return Finding("models", True, ", ".join(versions))


def _timeline(settings: Settings) -> Finding:
    advice = "start its database, or set VAGITUS_TIMELINE_URL to where it is; rows wait meanwhile"
    try:
        with closing(TimelineStore(timeline_url(settings))) as store:
            next(iter(store.acts(since_ms=round(time.time() * 1000))), None)
            return Finding("timeline", True, store.address)
    except (TimelineError, SettingsError) as error:
        return Finding("timeline", False, str(error), advice)


def _alertmanager(settings: Settings) -> Finding:
    advice = "start it, or set VAGITUS_ALERTMANAGER_URL to where it is: nobody is told of alerts"
    try:
        Silences(settings.alertmanager_url).all()
    except AlertmanagerError as error:
        return Finding("alertmanager", False, str(error), advice)
    return Finding("alertmanager", True, f"answers at {settings.alertmanager_url}")


async def _certificates(settings: Settings) -> list[Finding]:
    own = "have it renewed: what is written into the file is taken up by itself"
    findings = [
        _certificate(name, f"{path} ", expiry(path)(), own)
        for name, path in certificate_files(settings).items()
    ]
    try:
        shown = await broker_certificates(settings)
    except KafkaError as error:
        return [*findings, Finding("certificates of brokers", False, str(error), "try again")]
    for address, ends_at in shown.items():
        if ends_at is None:
            advice = "is that broker up, and reached by this name from here?"
            detail = "this broker of the cluster shows none that is trusted"
            findings.append(Finding(f"certificate {address}", False, detail, advice))
        else:
            findings.append(_certificate(address, "", ends_at, "have it renewed at that broker"))
    return findings


def _certificate(name: str, where: str, ends_at: float, advice: str) -> Finding:
    days = (ends_at - time.time()) / DAY_SECONDS
    # A file of several authorities may hold one that has ended.
    when = f"ends in {counted(int(days), 'day')}" if days >= 0 else "has ended"
    good = days >= THRESHOLDS.certificate_days
    return Finding(f"certificate {name}", good, where + when, advice)


def _topics(settings: Settings, counts: dict[str, int]) -> list[Finding]:
    findings = []
    plain = settings.kafka_security == "plaintext"
    absent = "does not exist" if plain else f"does not exist, or not for {identity(settings)}"
    for name in topic_configs(settings):
        count = counts.get(name)
        if count is None:
            findings.append(Finding(name, False, absent, "run `vagitus topics create`"))
        elif count != settings.partitions:
            findings.append(
                Finding(
                    name,
                    False,
                    f"{counted(count, 'partition')}, the setting says {settings.partitions}",
                    f"set VAGITUS_PARTITIONS={count} everywhere, or make the topic anew",
                )
            )
        else:
            findings.append(Finding(name, True, counted(count, "partition")))
    return findings


async def _configs(settings: Settings, existing: set[str]) -> list[Finding]:
    """Compare retention and cleanup with what is meant; nothing where the broker cannot say."""
    wanted = {name: c for name, c in topic_configs(settings).items() if name in existing}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
    admin = await connect_admin(settings)
    try:
        responses = await admin.describe_configs(resources)
    except (KafkaError, OSError, NotImplementedError) as error:
        advice = "an embedded broker has no topic settings; a real one needs DESCRIBE_CONFIGS"
        kind = type(error).__name__
        return [Finding("topic settings", True, f"not described by this broker ({kind}): {advice}")]
    finally:
        await admin.close()
    findings = []
    for response in responses:
        for code, _, _, name, entries, *_ in response.resources:
            if code == TOPIC_AUTHORIZATION_FAILED:
                detail = f"not for {identity(settings)} to see: it needs DESCRIBE_CONFIGS"
                return [Finding("topic settings", True, detail)]
            actual = {entry[0]: entry[1] for entry in entries}
            for key, value in wanted.get(name, {}).items():
                if actual.get(key) != value:
                    findings.append(
                        Finding(
                            f"{name} {key}",
                            False,
                            f"is {actual.get(key)}, not {value}",
                            f"kafka-configs.sh --bootstrap-server {settings.broker} --alter "
                            f"--topic {name} --add-config {key}={value}",
                        )
                    )
    return findings or [Finding("topic settings", True, "as they are meant")]


async def _clock(settings: Settings, count: int) -> Finding:
    """Compare the clocks of monitors and of this machine, by chunks on the broker."""
    try:
        lying, coming = await _chunks(settings, count)
    except KafkaError as error:
        detail = f"not compared, chunks cannot be read: {refusal(settings, error)}"
        return Finding("clock", True, detail)
    now_ms = time.time() * 1000
    behind_ms = max((record.timestamp - now_ms for record in lying), default=0.0)
    if behind_ms > MAX_CLOCK_DIFFERENCE_MS:
        detail = f"this machine is {behind_ms / 1000:.1f} s behind whoever sends sound"
        return Finding("clock", False, detail, "let NTP set the clocks of both")
    # Against when it came where that is known: a monitor that sends by itself stamps by its clock.
    told = [(record, record.timestamp) for record in lying] + coming
    worst = max(filter(None, starmap(_ahead, told)), key=lambda ahead: abs(ahead[0]), default=None)
    if worst is not None and abs(worst[0]) > MAX_CLOCK_DIFFERENCE_MS:
        detail = f"monitor {worst[1]} is off by {worst[0] / 1000:+.1f} s"
        advice = "let NTP set its clock (or it plays a recording, or sends late)"
        return Finding("clock", False, detail, advice)
    if not lying:
        return Finding("clock", True, "not compared: there is no sound")
    if not coming:
        return Finding("clock", True, "not compared with this one: no monitor sends now")
    monitors = counted(len({record.key for record, _ in coming}), "monitor")
    return Finding("clock", True, f"agrees with what comes from {monitors}")


def _ahead(record: ConsumerRecord, came_ms: float) -> tuple[float, str] | None:
    """By how much a chunk's second ended after it came (ms, negative: before), and its monitor."""
    try:
        event = CloudEvent.from_headers(record.headers)
    except RefusedMessage:
        return None  # the stream buries it; it says nothing of a clock
    return event.time_ms + SECOND_MS - came_ms, event.source


Coming = list[tuple[ConsumerRecord, float]]
"""Chunks, each with when it came, ms since 1970 UTC."""


async def _chunks(settings: Settings, count: int) -> tuple[list[ConsumerRecord], Coming]:
    """The last chunk of each of the `count` partitions of `audio-chunks`; and those that come now.

    Raises:
        KafkaError: they cannot be read.
    """
    if not count:  # aiokafka cannot stop a consumer of nothing
        return [], []
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False)
    topic = AUDIO_CHUNKS.name(settings)
    newest: dict[TopicPartition, ConsumerRecord] = {}
    coming: Coming = []
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in range(count)]
        consumer.assign(partitions)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        filled = {tp for tp in partitions if ends[tp] > begins[tp]}
        for tp in partitions:
            consumer.seek(tp, max(begins[tp], ends[tp] - 1))
        deadline = time.monotonic() + FETCH_SECONDS
        while not newest.keys() >= filled and time.monotonic() < deadline:
            for tp, records in (await consumer.getmany(*partitions, timeout_ms=500)).items():
                newest[tp] = records[-1]
        deadline = time.monotonic() + (LISTEN_SECONDS if newest else 0.0)
        while time.monotonic() < deadline:
            for records in (await consumer.getmany(*partitions, timeout_ms=200)).values():
                coming += [(record, time.time() * 1000) for record in records]
    finally:
        await consumer.stop()
    return list(newest.values()), coming
