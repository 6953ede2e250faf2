"""The check-up: what a worker needs, each point with what to do about it."""

import time
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from streams.alerting.thresholds import THRESHOLDS
from streams.app import Models
from streams.certificates import expiry
from streams.connection import certificate_files, connection, identity
from streams.errors import BrokerError, ModelError, RefusedMessage, SettingsError
from streams.records.cloudevent import CloudEvent
from streams.settings import Settings
from streams.topics import AUDIO_CHUNKS, connect_admin, partition_counts, topic_configs

# More than this between two clocks and "silent for five seconds" means nothing.
MAX_CLOCK_DIFFERENCE_MS = 2000
SECOND_MS = 1000
FETCH_SECONDS = 5.0
DAY_SECONDS = 24 * 60 * 60
TOPIC_AUTHORIZATION_FAILED = 29


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
    try:
        counts = await partition_counts(settings)
    except BrokerError as error:
        advice = "start the broker, or set VAGITUS_BROKER to where it listens"
        return [*findings, Finding("broker", False, str(error), advice)]
    except SettingsError as error:
        return [*findings, Finding("broker", False, str(error), "see docs/operate.md")]
    plain = settings.kafka_security == "plaintext"
    how = "not encrypted" if plain else f"encrypted, and knows us as {identity(settings)}"
    findings.append(Finding("broker", True, f"answers at {settings.broker}: {how}"))
    findings += _certificates(settings)
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


def _certificates(settings: Settings) -> list[Finding]:
    findings = []
    for name, path in certificate_files(settings).items():
        days = (expiry(path)() - time.time()) / DAY_SECONDS
        findings.append(
            Finding(
                f"certificate {name}",
                days >= THRESHOLDS.certificate_days,
                f"{path} ends in {days:.0f} days",
                "have it renewed: what is written into the file is taken up by itself",
            )
        )
    return findings


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
                    f"{count} partitions, the setting says {settings.partitions}",
                    f"set VAGITUS_PARTITIONS={count} everywhere, or make the topic anew",
                )
            )
        else:
            findings.append(Finding(name, True, f"{count} partitions"))
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
                            f"kafka-configs --alter --topic {name} --add-config {key}={value}",
                        )
                    )
    return findings or [Finding("topic settings", True, "as they are meant")]


async def _clock(settings: Settings, count: int) -> Finding:
    """Compare the clocks of monitors and of this machine, by the newest chunks on the broker."""
    behind_ms = 0.0
    worst = ("", 0.0)
    newest = await _newest_chunks(settings, count)
    now_ms = time.time() * 1000
    for record in newest:
        behind_ms = max(behind_ms, record.timestamp - now_ms)
        try:
            event = CloudEvent.from_headers(record.headers)
        except RefusedMessage:
            continue  # the stream buries it; it says nothing of a clock
        difference_ms = event.time_ms + SECOND_MS - record.timestamp
        if abs(difference_ms) > abs(worst[1]):
            worst = (event.source, difference_ms)
    if behind_ms > MAX_CLOCK_DIFFERENCE_MS:
        detail = f"this machine is {behind_ms / 1000:.1f} s behind whoever sends sound"
        return Finding("clock", False, detail, "let NTP set the clocks of both")
    if abs(worst[1]) > MAX_CLOCK_DIFFERENCE_MS:
        detail = f"monitor {worst[0]} is off by {worst[1] / 1000:+.1f} s"
        return Finding("clock", False, detail, "let NTP set its clock (or it plays a recording)")
    compared = f"agrees with {len(newest)} newest chunks" if newest else "no chunk to compare with"
    return Finding("clock", True, compared)


async def _newest_chunks(settings: Settings, count: int) -> list[ConsumerRecord]:
    """The last chunk of each of the `count` partitions of `audio-chunks` that has one."""
    if not count:  # aiokafka cannot stop a consumer of nothing
        return []
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False)
    topic = AUDIO_CHUNKS.name(settings)
    newest = []
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in range(count)]
        consumer.assign(partitions)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        filled = [tp for tp in partitions if ends[tp] > begins[tp]]
        for tp in filled:
            consumer.seek(tp, ends[tp] - 1)
        deadline = time.monotonic() + FETCH_SECONDS
        while len(newest) < len(filled) and time.monotonic() < deadline:
            for records in (await consumer.getmany(*filled, timeout_ms=500)).values():
                newest += records[-1:]
    finally:
        await consumer.stop()
    return newest
