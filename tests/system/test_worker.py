"""What a worker leaves when it ends, and that it does, whatever has become of its broker."""

import asyncio
import time

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.kafka.broker import EmbeddedBroker
from streams.kafka.topics import AUDIO_CHUNKS, CRY_EMBEDDINGS, CRY_SCORES, CRY_SEGMENTS, Topic
from streams.play import Publisher
from streams.worker import STOP_SECONDS
from tests.streams.ward import cry_sound, record_cry, segment
from tests.system.brokers import EmbeddedKafka
from tests.system.pipeline import PARTITIONS, SESSION_SECONDS, START_SECONDS, Pipeline

pytestmark = pytest.mark.system


def test_a_worker_whose_broker_is_gone_ends_all_the_same(tmp_path):
    with EmbeddedBroker() as running:
        pipeline = Pipeline(EmbeddedKafka(running), tmp_path)
        process = pipeline.start("worker", "--metrics-port", "0", "--log-level", "INFO")
        try:
            pipeline.wait_for_log("Resuming flow", process)
        except BaseException:
            process.kill()
            raise
    time.sleep(SESSION_SECONDS + 2)  # it has noticed, and tries again and again
    process.terminate()
    try:
        process.wait(STOP_SECONDS + 30)  # raises if it still runs
    finally:
        process.kill()
    print(f"exit status {process.returncode}")
    assert "Traceback" not in "".join(log.read_text() for log in tmp_path.glob("*.log"))


def test_a_worker_whose_scores_are_refused_ends_and_commits_nothing(apache_kafka, tmp_path):
    pipeline = Pipeline(apache_kafka, tmp_path)
    accept_nothing(pipeline, CRY_SCORES)
    process = pipeline.start("worker", "--metrics-port", "0", "--log-level", "INFO")
    try:
        pipeline.wait_for_log("Resuming flow", process)
        pipeline.run("play", str(record_cry(tmp_path / "cry.wav")), "--speed", "max")
        # It ends by itself, so that it is started again.
        assert process.wait(START_SECONDS + STOP_SECONDS) != 0
    finally:
        process.kill()
    said = "".join(log.read_text() for log in tmp_path.glob("worker-*.log"))
    assert "score failed, the worker stops" in said
    assert "Still not stopped" not in said
    assert (committed(pipeline, AUDIO_CHUNKS), pipeline.count(CRY_SCORES)) == (0, 0)


def accept_nothing(pipeline: Pipeline, topic: Topic) -> None:
    """Make a topic refuse whatever is sent to it."""

    async def alter() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=pipeline.settings.broker)
        await admin.start()
        try:
            name = topic.name(pipeline.settings)
            (answer,) = await admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "1"})]
            )
            assert answer.resources[0][0] == 0
        finally:
            await admin.close()

    asyncio.run(alter())


def test_what_was_embedded_and_judged_is_committed(embedded_broker, tmp_path):
    pipeline = Pipeline(embedded_broker, tmp_path)

    async def send() -> None:
        async with Publisher(pipeline.settings) as publisher:
            await (await publisher.send(CRY_SEGMENTS, *segment(cry_sound()).encode()))

    asyncio.run(send())
    with pipeline.worker() as worker:
        pipeline.wait_for(lambda found: found.deviations, START_SECONDS, worker)
    assert [committed(pipeline, topic) for topic in (CRY_SEGMENTS, CRY_EMBEDDINGS)] == [1, 1]


def committed(pipeline: Pipeline, topic: Topic) -> int:
    """How many records of a topic the next worker will not read again."""

    async def offsets() -> list[int | None]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=pipeline.settings.broker, group_id=pipeline.settings.app_id
        )
        await consumer.start()
        try:
            name = topic.name(pipeline.settings)
            return [await consumer.committed(TopicPartition(name, p)) for p in range(PARTITIONS)]
        finally:
            await consumer.stop()

    return sum(filter(None, asyncio.run(offsets())))
