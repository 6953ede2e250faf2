"""What a broker shows as its certificate is read anew from a new connection."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Gauge

from streams.kafka.broker_certificates import show, show_broker_certificates, shown_by
from streams.kafka.certificates import Files, read_certificates
from streams.settings import Settings
from tests.streams.authority import Authority
from tests.streams.kafka.test_connection import listening, server_context


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def end_shown(server, trusted: Authority) -> float | None:
    async def ask() -> float | None:
        async with listening(server) as address:
            host, _, port = address.partition(":")
            return await shown_by(host, int(port), Files(trusted.certificate).load())

    return asyncio.run(ask())


def test_the_end_of_what_a_server_shows_is_read(authority):
    for days in (3, 200):
        server = server_context(authority, days=days)
        (broker,) = read_certificates(authority.certificate.with_name("broker.crt"))
        assert end_shown(server, authority) == broker.ends_at


def test_of_one_that_is_not_trusted_or_does_not_answer_nothing_is_known(authority, tmp_path):
    assert end_shown(server_context(Authority(tmp_path)), authority) is None
    assert end_shown(server_context(authority, days=-1), authority) is None
    assert end_shown(None, authority) is None
    context = Files(authority.certificate).load()
    assert asyncio.run(shown_by("127.0.0.1", 1, context)) is None


def test_what_was_shown_stays_until_another_is_and_leaves_with_its_broker():
    registry = CollectorRegistry()
    gauge = Gauge("ends", "When.", ["certificate"], registry=registry)
    shown: set[str] = set()
    seen = []
    for found in ({"a:1": 10.0, "b:1": 20.0}, {"a:1": None, "b:1": 30.0}, {"b:1": 30.0}):
        shown = show(gauge, found, shown)
        seen.append(
            {one: registry.get_sample_value("ends", {"certificate": one}) for one in ("a:1", "b:1")}
        )
    assert seen == [
        {"a:1": 10.0, "b:1": 20.0}, {"a:1": 10.0, "b:1": 30.0}, {"a:1": None, "b:1": 30.0},
    ]  # fmt: skip


def test_without_tls_nobody_is_asked():
    gauge = Gauge("ends", "When.", ["certificate"], registry=CollectorRegistry())
    asyncio.run(show_broker_certificates(gauge, Settings(broker="127.0.0.1:1")))
