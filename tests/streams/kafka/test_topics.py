"""Topics that were just created are waited for."""

import asyncio

import pytest

from streams.errors import BrokerError
from streams.kafka.broker import EmbeddedBroker
from streams.kafka.topics import AUDIO_CHUNKS, until_described
from streams.settings import Settings

pytest.importorskip("confluent_kafka")


@pytest.fixture
def broker():
    with EmbeddedBroker() as running:
        yield running


def test_a_topic_is_waited_for_until_the_broker_names_it(broker):
    settings = Settings.read(broker=broker.address)
    name = AUDIO_CHUNKS.name(settings)

    async def created_late() -> None:
        waiting = asyncio.create_task(until_described(settings, [name]))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        broker.create_topic(name, 1)
        await waiting

    asyncio.run(created_late())


def test_a_topic_that_is_never_named_is_said(broker):
    settings = Settings.read(broker=broker.address)
    with pytest.raises(BrokerError, match="does not name it"):
        asyncio.run(until_described(settings, [AUDIO_CHUNKS.name(settings)], patience_seconds=0.2))
