"""The topics: names, how they are split, how long they are kept; and creating them."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from streams.errors import BrokerError
from streams.kafka.connection import connection, identity, unreachable
from streams.settings import Settings

_MINUTE_MS = 60 * 1000
_DAY_MS = 24 * 60 * _MINUTE_MS
TOPIC_ALREADY_EXISTS = 36
# Sound is health data: it is kept only as long as a crashed worker needs to catch up.
CHUNK_RETENTION_MS = 15 * _MINUTE_MS


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its short name and how it is kept."""

    short_name: str
    config: dict[str, str]

    def name(self, settings: Settings) -> str:
        """The full name on the broker."""
        return settings.topic_prefix + self.short_name


def _kept(milliseconds: int, **config: str) -> dict[str, str]:
    # A segment that is never rolled is never deleted, however old its records are.
    roll_ms = max(_MINUTE_MS, milliseconds // 5)
    return {"retention.ms": str(milliseconds), "segment.ms": str(roll_ms), **config}


AUDIO_CHUNKS = Topic("audio-chunks", _kept(CHUNK_RETENTION_MS))
CRY_SCORES = Topic("cry-scores", _kept(7 * _DAY_MS, **{"compression.type": "zstd"}))
CRY_SEGMENTS = Topic("cry-segments", _kept(60 * _MINUTE_MS, **{"max.message.bytes": "2000000"}))
CRY_EMBEDDINGS = Topic("cry-embeddings", _kept(90 * _DAY_MS))
DEVIATIONS = Topic("deviations", _kept(400 * _DAY_MS))
ACTS = Topic("acts", _kept(400 * _DAY_MS))
ADMISSIONS = Topic("admissions", {"cleanup.policy": "compact"})
QUIET_HOURS = Topic("quiet-hours", {"cleanup.policy": "compact"})
DEAD_LETTERS = Topic("dead-letters", _kept(7 * _DAY_MS))
TOPICS = (
    AUDIO_CHUNKS, CRY_SCORES, CRY_SEGMENTS, CRY_EMBEDDINGS, DEVIATIONS, ACTS, ADMISSIONS,
    QUIET_HOURS, DEAD_LETTERS,
)  # fmt: skip
# Where sound lies, and nowhere else: what is made of it elsewhere must not hold it.
SOUND = (AUDIO_CHUNKS, CRY_SEGMENTS)

MARKS_TABLE = "segment-marks"
BASELINES_TABLE = "baselines"
# What a broker created it describes within milliseconds, a busy cluster within seconds.
DESCRIBED_WITHIN_SECONDS = 30.0
_CHANGELOG_CONFIG = {"cleanup.policy": "compact", "max.message.bytes": "2000000"}


def changelog(settings: Settings, table: str) -> str:
    """The full name of the compacted topic behind a table."""
    return f"{settings.app_id}-{table}-changelog"


def topic_configs(settings: Settings) -> dict[str, dict[str, str]]:
    """Every topic that a deployment needs, changelogs too: full name to configuration."""
    configs = {topic.name(settings): topic.config for topic in TOPICS}
    for table in (MARKS_TABLE, BASELINES_TABLE):
        configs[changelog(settings, table)] = _CHANGELOG_CONFIG
    return configs


async def create_topics(settings: Settings) -> list[str]:
    """Create what is missing on the broker; returns the names that were created.

    Raises:
        BrokerError: the broker cannot be reached or refuses.
    """
    admin = await connect_admin(settings)
    try:
        response = await admin.create_topics(
            [
                NewTopic(
                    name=name,
                    num_partitions=settings.partitions,
                    replication_factor=settings.replication,
                    topic_configs=config,
                )
                for name, config in topic_configs(settings).items()
            ]
        )
    except (KafkaError, OSError) as error:
        raise BrokerError(f"The broker refused to create topics: {error}.") from None
    except AttributeError:
        # librdkafka's built-in cluster names no controller, which aiokafka then asks for.
        if set(await partition_counts(settings)) == set(topic_configs(settings)):
            return []
        raise BrokerError(
            "This broker, the embedded one of `vagitus broker`, makes its topics when it starts: "
            "start it with the settings that its clients have."
        ) from None
    finally:
        await admin.close()
    created = []
    for name, code, *_ in response.topic_errors:
        if code not in (0, TOPIC_ALREADY_EXISTS):
            raise BrokerError(f"The broker refused topic {name}: {for_code(code).__name__}.")
        if code == 0:
            created.append(name)
    await until_described(settings, created)
    return created


async def until_described(
    settings: Settings, names: Collection[str], patience_seconds: float = DESCRIBED_WITHIN_SECONDS
) -> None:
    """Wait for topics that were just created: a broker confirms them before it knows of them.

    Raises:
        BrokerError: it does not in time.
    """
    deadline = time.monotonic() + patience_seconds
    while missing := set(names) - set(await partition_counts(settings)):
        if time.monotonic() > deadline:
            raise BrokerError(f"The broker created topic {min(missing)}, but does not name it.")
        await asyncio.sleep(0.1)


async def partition_counts(settings: Settings) -> dict[str, int]:
    """Partitions of each of our topics that exists, by full name; raises BrokerError."""
    admin = await connect_admin(settings)
    try:
        # All of them: to ask for one by name may create it, with the broker's own retention.
        found = await admin.describe_topics()
    except (KafkaError, OSError) as error:
        raise BrokerError(f"The broker does not describe its topics: {error}.") from None
    finally:
        await admin.close()
    ours = topic_configs(settings)
    return {
        topic["topic"]: len(topic["partitions"])
        for topic in found
        if topic["topic"] in ours and topic["error_code"] == 0
    }


def no_topic(settings: Settings, name: str) -> BrokerError:
    """The error to raise where a topic is not among those that the broker names."""
    if settings.kafka_security == "plaintext":
        return BrokerError(f"Topic {name} does not exist: run `vagitus topics create`.")
    # A broker does not name what one has no rights on.
    return BrokerError(
        f"Topic {name} does not exist, or not for {identity(settings)}: run `vagitus topics "
        "create`, or give that user rights on it."
    )


async def connect_admin(settings: Settings) -> AIOKafkaAdminClient:
    """A started admin client, to be closed by the caller; raises BrokerError."""
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=10_000)
    try:
        await admin.start()
    except (KafkaError, OSError) as error:
        await admin.close()
        raise await unreachable(settings, error) from None
    return admin
