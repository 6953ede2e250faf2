"""Fixtures that several tests of `streams/` use."""

import os
import sys
import uuid

import pytest

from streams import cli
from streams.app import Models
from streams.kafka.broker import EmbeddedBroker
from streams.kafka.topics import topic_configs
from streams.offline import OfflineScorer
from streams.settings import Settings
from tests.deploy.servers import alertmanager
from tests.streams.ward import record_cry

__all__ = ["alertmanager"]

PARTITIONS = 3


@pytest.fixture(scope="session")
def models() -> Models:
    """The shipped models."""
    return Models.load(Settings())


@pytest.fixture(scope="session")
def scorer(models) -> OfflineScorer:
    """The stream's own functions over the shipped detector."""
    return OfflineScorer(models.detector, Settings())


@pytest.fixture
def cry(tmp_path):
    """A recording of nine seconds with one cry."""
    return record_cry(tmp_path / "cry.wav")


@pytest.fixture
def vagitus(monkeypatch, capsys):
    """Run a command line as the installed command does: exit status, output, errors."""
    for name in [name for name in os.environ if name.startswith("VAGITUS_")]:
        monkeypatch.delenv(name)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["vagitus", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        page = capsys.readouterr()
        return end.value.code, page.out, page.err

    return run


@pytest.fixture(scope="module")
def broker():
    """An embedded broker that the tests of a file share."""
    pytest.importorskip("confluent_kafka")
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def settings(broker) -> Settings:
    """Of that broker, with topics of the test's own."""
    name = f"t{uuid.uuid4().hex[:8]}"
    settings = Settings(
        broker=broker.address, topic_prefix=f"{name}.", app_id=name, partitions=PARTITIONS
    )
    for topic in topic_configs(settings):
        broker.create_topic(topic, PARTITIONS)
    return settings
