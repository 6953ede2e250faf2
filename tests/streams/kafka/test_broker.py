"""The embedded broker, driven by the same client as the workers."""

import asyncio
import signal
import socket
import subprocess
import sys

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from streams.errors import BrokerError
from streams.kafka import broker as broker_module
from streams.kafka.broker import EmbeddedBroker

pytest.importorskip("confluent_kafka")


@pytest.fixture(scope="module")
def broker():
    with EmbeddedBroker() as running:
        yield running


async def _send(address: str, topic: str, value: bytes, headers=()) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        await producer.send_and_wait(topic, value, headers=list(headers), partition=0)


async def _first(address: str, topic: str):
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=address, auto_offset_reset="earliest"
    ) as consumer:
        return await asyncio.wait_for(consumer.getone(), 20)


def test_a_record_comes_back_with_its_headers(broker):
    broker.create_topic("headers", 1)
    asyncio.run(_send(broker.address, "headers", b"sound", [("ce_id", b"7")]))
    record = asyncio.run(_first(broker.address, "headers"))
    assert (record.value, list(record.headers)) == (b"sound", [("ce_id", b"7")])


def test_a_topic_has_the_partitions_it_was_given(broker):
    broker.create_topic("wide", 32)

    async def partitions() -> set[int]:
        async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
            return await producer.partitions_for("wide")

    assert asyncio.run(partitions()) == set(range(32))


def test_a_topic_is_created_once(broker):
    broker.create_topic("once", 1)
    with pytest.raises(BrokerError, match="once exists already"):
        broker.create_topic("once", 1)


def test_a_commit_keeps_its_metadata_for_the_next_consumer(broker):
    broker.create_topic("commits", 32)
    partition = TopicPartition("commits", 3)

    async def commit() -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=broker.address, group_id="metadata", enable_auto_commit=False
        )
        await consumer.start()
        consumer.assign([partition])
        await consumer.commit({partition: OffsetAndMetadata(5, "abc")})
        await consumer.stop()

    async def read() -> OffsetAndMetadata:
        async with AIOKafkaConsumer(
            "commits", bootstrap_servers=broker.address, group_id="metadata"
        ) as consumer:
            found = await consumer._coordinator.fetch_committed_offsets([partition])
            return found[partition]

    asyncio.run(commit())
    assert asyncio.run(read()) == OffsetAndMetadata(5, "abc")


def test_a_second_member_shares_the_partitions_and_gives_them_back(broker):
    broker.create_topic("shared", 8)
    options = {
        "bootstrap_servers": broker.address,
        "group_id": "sharing",
        "session_timeout_ms": 6000,
        "heartbeat_interval_ms": 300,
    }

    async def shares() -> list[tuple[int, int]]:
        first, second = (AIOKafkaConsumer("shared", **options) for _ in range(2))
        await first.start()
        seen = [(len(first.assignment()), 0)]
        await asyncio.wait_for(second.start(), 30)
        async with asyncio.timeout(30):
            while len(first.assignment()) != 4:
                await first.getmany(timeout_ms=100)
        seen.append((len(first.assignment()), len(second.assignment())))
        await second.stop()
        async with asyncio.timeout(30):
            while len(first.assignment()) != 8:
                await first.getmany(timeout_ms=100)
        seen.append((len(first.assignment()), 0))
        await first.stop()
        return seen

    assert asyncio.run(shares()) == [(8, 0), (4, 4), (8, 0)]


def test_a_killed_client_does_not_disturb_it(broker):
    broker.create_topic("killed", 1)
    program = (
        "import asyncio, sys\n"
        "from aiokafka import AIOKafkaConsumer\n"
        "async def main():\n"
        "    consumer = AIOKafkaConsumer('killed', bootstrap_servers=sys.argv[1])\n"
        "    await consumer.start(); print('up', flush=True); await consumer.getone()\n"
        "asyncio.run(main())\n"
    )
    client = subprocess.Popen(
        [sys.executable, "-c", program, broker.address], stdout=subprocess.PIPE, text=True
    )
    assert client.stdout.readline() == "up\n"
    client.send_signal(signal.SIGKILL)
    client.wait()
    client.stdout.close()
    asyncio.run(_send(broker.address, "killed", b"still here"))
    assert asyncio.run(_first(broker.address, "killed")).value == b"still here"


def test_it_listens_on_the_port_it_was_given_until_it_is_stopped():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    async def partitions() -> set[int]:
        async with AIOKafkaProducer(bootstrap_servers=f"127.0.0.1:{port}") as producer:
            return await producer.partitions_for("given")

    with EmbeddedBroker(port) as broker:
        broker.create_topic("given", 3)
        assert broker.address == f"127.0.0.1:{port}"
        assert asyncio.run(partitions()) == {0, 1, 2}
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1)


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=f"127.0.0.1:{port}"), EmbeddedBroker(port):
            pass


def test_without_confluent_kafka_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(broker_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BrokerError, match=r"pip install vagitus\[demo\]"), EmbeddedBroker():
        pass
