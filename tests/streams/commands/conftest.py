"""A broker with topics and no worker, for commands that ask for something there."""

import uuid

import pytest

from models.deviation.ward import WardModel
from streams.broker import EmbeddedBroker
from streams.settings import Settings
from streams.topics import topic_configs

PARTITIONS = 3


@pytest.fixture(scope="module")
def broker():
    pytest.importorskip("confluent_kafka")
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="module")
def ward() -> WardModel:
    return WardModel.load()


@pytest.fixture
def settings(broker) -> Settings:
    """Topics of its own."""
    name = f"t{uuid.uuid4().hex[:8]}"
    settings = Settings(
        broker=broker.address, topic_prefix=f"{name}.", app_id=name, partitions=PARTITIONS
    )
    for topic in topic_configs(settings):
        broker.create_topic(topic, PARTITIONS)
    return settings


@pytest.fixture
def vagitus_there(vagitus, settings, monkeypatch, tmp_path):
    """Run a command line there."""

    def run_command(*arguments: object):
        for name in ("topic_prefix", "app_id", "partitions", "broker"):
            monkeypatch.setenv(f"VAGITUS_{name.upper()}", str(getattr(settings, name)))
        monkeypatch.setenv("VAGITUS_STATE_DIR", str(tmp_path))
        return vagitus(*arguments)

    return run_command
