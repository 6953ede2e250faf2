"""How long a worker may speak for its share, beside a real broker's group."""

import asyncio
import time
import uuid

from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from streams.kafka.membership import Membership
from streams.kafka.topics import DEVIATIONS
from streams.metrics.shown import Metrics, Share
from streams.records.admission import Admission

SESSION_SECONDS = 6.0


def test_it_lasts_as_long_as_the_broker_answers_and_no_longer_than_a_session(settings):
    membership = Membership(SESSION_SECONDS)

    async def belong() -> None:
        async with AIOKafkaConsumer(
            DEVIATIONS.name(settings),
            bootstrap_servers=settings.broker,
            group_id=uuid.uuid4().hex,
            session_timeout_ms=round(1000 * SESSION_SECONDS),
            heartbeat_interval_ms=500,
        ) as consumer:
            assert not membership.lasts()
            membership.follow(consumer)
            membership.follow(consumer)
            begun = membership._ends
            async with asyncio.timeout(60):
                while membership._ends < begun + SESSION_SECONDS:
                    await asyncio.sleep(0.1)
            assert membership.lasts()

    asyncio.run(belong())
    assert membership._ends <= time.monotonic() + SESSION_SECONDS
    while membership.lasts():
        time.sleep(0.1)


def test_what_may_be_anothers_is_not_shown_nor_owned_and_comes_back():
    metrics, membership = Metrics(CollectorRegistry()), Membership(0.0)
    metrics.own(Share.SOUND, [0])
    metrics.admit(Admission("mon-1", "infant-1", "nicu", "cot-1", 0))
    value, labels = metrics.registry.get_sample_value, {"ward": "nicu", "monitor": "mon-1"}
    last, owned = "vagitus_monitor_last_chunk_timestamp_seconds", "vagitus_owned_ratio"
    assert (value(last, labels), value(owned, {"share": "sound"})) == (0, 1)
    metrics.trust(Share.SOUND, membership)
    assert (value(last, labels), value(owned, {"share": "sound"})) == (None, 0)
    assert not metrics.owns(Share.SOUND, "mon-1")
    metrics.trust(Share.SOUND, lasting())
    assert (value(last, labels), value(owned, {"share": "sound"})) == (0, 1)


def test_who_is_cut_off_from_the_broker_says_that_it_hears_nobody():
    metrics = Metrics(CollectorRegistry())
    metrics.begun = 16
    metrics.trust(Share.SOUND, Membership(0.0))
    assert metrics.registry.get_sample_value("vagitus_owned_partitions") == 0
    metrics.trust(Share.SOUND, lasting())
    assert metrics.registry.get_sample_value("vagitus_owned_partitions") == 16


def lasting() -> Membership:
    membership = Membership(60.0)
    membership._renew(time.monotonic())
    return membership
