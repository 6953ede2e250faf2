"""Both brokers do what the stream relies on, and a missing one says what to install."""

import asyncio
import subprocess
import sys

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from tests.system.brokers import KAFKA, unavailable

pytestmark = pytest.mark.system


def test_a_record_keeps_its_headers_and_a_commit_its_metadata(broker):
    topic = f"round-trip-{broker.kind}"
    broker.create_topics({topic: 32})
    partition = TopicPartition(topic, 31)

    async def round_trip():
        async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
            await producer.send_and_wait(
                topic, b"\x00" * 900_000, partition=31, headers=[("ce_id", b"1")]
            )
        async with AIOKafkaConsumer(
            topic,
            bootstrap_servers=broker.address,
            group_id=topic,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        ) as consumer:
            record = await asyncio.wait_for(consumer.getone(), 30)
            await consumer.commit({partition: OffsetAndMetadata(1, "since=42")})
            found = await consumer._coordinator.fetch_committed_offsets([partition])
        return len(record.value), list(record.headers), record.partition, found[partition]

    assert asyncio.run(round_trip()) == (
        900_000,
        [("ce_id", b"1")],
        31,
        OffsetAndMetadata(1, "since=42"),
    )


def test_apache_kafka_takes_topic_settings(apache_kafka):
    apache_kafka.create_topics({"settings": 2}, {"settings": {"retention.ms": "900000"}})

    async def described() -> str:
        admin = AIOKafkaAdminClient(bootstrap_servers=apache_kafka.address)
        await admin.start()
        try:
            resource = ConfigResource(ConfigResourceType.TOPIC, "settings")
            (response,) = await admin.describe_configs([resource])
        finally:
            await admin.close()
        (_, _, _, _, entries) = response.resources[0]
        return {entry[0]: entry[1] for entry in entries}["retention.ms"]

    assert asyncio.run(described()) == "900000"


def test_a_missing_java_is_one_line_that_says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, str(KAFKA), "start", "--data", str(tmp_path)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "openjdk-17-jre-headless" in done.stderr


def test_without_a_broker_a_test_is_skipped_but_fails_in_ci(monkeypatch):
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception, match="install it"):
        unavailable("install it")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="install it"):
        unavailable("install it")
