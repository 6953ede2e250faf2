"""The brokers that the system tests run on, as fixtures: the embedded one and Apache Kafka."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from streams.errors import BrokerError
from streams.kafka.broker import EmbeddedBroker

KAFKA = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / "kafka"
ADDRESS_VARIABLE = "VAGITUS_TEST_KAFKA"
# The first start on a machine fetches 46 jars.
START_SECONDS = 300


class Broker(Protocol):
    """What a system test needs of a broker."""

    address: str
    kind: str  # "embedded" or "apache"

    def create_topics(
        self,
        partitions: Mapping[str, int],
        configs: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Create topics: partitions by name, and settings by name where the broker has any."""


@dataclass
class EmbeddedKafka:
    """The embedded broker; it has no topic settings, so `configs` is left aside."""

    running: EmbeddedBroker
    kind: str = "embedded"

    @property
    def address(self) -> str:
        """Bootstrap address, host:port."""
        return self.running.address

    def create_topics(
        self,
        partitions: Mapping[str, int],
        configs: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Create topics; raises BrokerError where one exists already."""
        for name, count in partitions.items():
            self.running.create_topic(name, count)


@dataclass
class ApacheKafka:
    """An Apache Kafka at an address."""

    address: str
    kind: str = "apache"

    def create_topics(
        self,
        partitions: Mapping[str, int],
        configs: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Create topics; raises BrokerError where the broker refuses one."""
        configs = configs or {}
        asyncio.run(
            self._create(
                [
                    NewTopic(name, count, 1, topic_configs=dict(configs.get(name, {})))
                    for name, count in partitions.items()
                ]
            )
        )

    async def _create(self, topics: list[NewTopic]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        try:
            await admin.start()
            response = await admin.create_topics(topics)
        finally:
            await admin.close()
        for name, code, *_ in response.topic_errors:
            if code:
                raise BrokerError(f"The broker refused topic {name}: {for_code(code).__name__}.")
        # It confirms a topic before it knows of it.
        while {topic.name for topic in topics} - await self._described():
            await asyncio.sleep(0.1)

    async def _described(self) -> set[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        try:
            await admin.start()
            found = await admin.describe_topics()
        finally:
            await admin.close()
        return {topic["topic"] for topic in found if topic["error_code"] == 0}


def unavailable(reason: str) -> None:
    """Skip with one line; in CI fail, where a skipped broker would pass for a tested one."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedKafka]:
    """The embedded broker, shared by the whole run: use topic names of your own."""
    running = EmbeddedBroker()
    try:
        running.start()
    except BrokerError as error:
        unavailable(str(error))
    yield EmbeddedKafka(running)
    running.stop()


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """Apache Kafka at VAGITUS_TEST_KAFKA, or a node of our own: use topic names of your own."""
    given = os.environ.get(ADDRESS_VARIABLE)
    if given:
        yield ApacheKafka(given)
        return
    data = str(tmp_path_factory.mktemp("kafka"))
    started = _kafka("start", data)
    if started.returncode:
        lines = (started.stderr.strip() or started.stdout.strip()).splitlines()
        unavailable(lines[-1] if lines else "deploy/kafka/kafka start failed without a word")
    try:
        yield ApacheKafka(started.stdout.split()[-1])
    finally:
        _kafka("stop", data)


def _kafka(action: str, data: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(KAFKA), action, "--data", data],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )


@pytest.fixture(params=["embedded", "apache"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Both brokers, one after the other."""
    name = {"embedded": "embedded_broker", "apache": "apache_kafka"}[request.param]
    return request.getfixturevalue(name)
