"""The check-up on a broker that, unlike the embedded one, has settings of topics."""

import asyncio
import uuid

import pytest

from streams.doctor import Finding, examine
from streams.kafka.topics import create_topics, topic_configs
from streams.settings import Settings

pytestmark = pytest.mark.system


@pytest.fixture
def settings(apache_kafka) -> Settings:
    name = f"t{uuid.uuid4().hex[:8]}"
    return Settings(broker=apache_kafka.address, topic_prefix=f"{name}.", app_id=name, partitions=2)


def failing(settings: Settings) -> dict[str, Finding]:
    return {f.what: f for f in asyncio.run(examine(settings)) if not f.good}


def test_topics_that_were_created_by_us_are_as_they_are_meant(settings):
    created = asyncio.run(create_topics(settings))
    assert sorted(created) == sorted(topic_configs(settings))
    assert failing(settings) == {}
    assert asyncio.run(create_topics(settings)) == []


def test_a_broker_without_our_topics_is_examined_to_the_end(settings):
    found = asyncio.run(examine(settings))
    assert [f.what for f in found if not f.good] == list(topic_configs(settings))
    assert found[-1].detail == "not compared: there is no sound"


def test_a_topic_that_keeps_sound_too_long_is_found_with_the_command_that_mends_it(
    settings, apache_kafka
):
    configs = topic_configs(settings)
    chunks = f"{settings.topic_prefix}audio-chunks"
    apache_kafka.create_topics({chunks: 2}, {chunks: {"retention.ms": "604800000"}})
    asyncio.run(create_topics(settings))
    found = failing(settings)
    retention = configs[chunks]["retention.ms"]
    wrong = found.pop(f"{chunks} retention.ms")
    assert wrong.detail == f"is 604800000, not {retention}"
    assert wrong.advice.endswith(f"--topic {chunks} --add-config retention.ms={retention}")
    assert list(found) == [f"{chunks} segment.ms"]
