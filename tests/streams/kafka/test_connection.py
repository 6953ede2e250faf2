"""Every client is given the same way to Kafka; why it leads nowhere is one sentence."""

import asyncio
import contextlib
import logging
import ssl

import faust
import pytest
from aiokafka.conn import AIOKafkaConnection
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from streams.app import _credentials
from streams.errors import SettingsError
from streams.kafka.certificates import read_certificates
from streams.kafka.connection import connection, identity, show_expiry, unreachable
from streams.settings import Settings
from tests.streams.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls(authority) -> dict[str, object]:
    mine = authority.issue("mon-1")
    return {
        "kafka_security": "tls",
        "kafka_ca": authority.certificate,
        "kafka_certificate": mine.certificate,
        "kafka_key": mine.key,
    }


@pytest.fixture
def sasl(authority) -> dict[str, object]:
    return {
        "kafka_security": "sasl-tls",
        "kafka_ca": authority.certificate,
        "kafka_user": "nurse",
        "kafka_password": "secret",
    }


def test_without_security_only_the_address_is_given():
    assert connection(Settings()) == {"bootstrap_servers": "127.0.0.1:9092"}
    assert _credentials(Settings()) is None


def test_all_clients_share_one_context_that_verifies(tls):
    options = connection(Settings(**tls))
    assert options["security_protocol"] == "SSL"
    context = options["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    assert connection(Settings(**tls, broker="other:1"))["ssl_context"] is context
    given = _credentials(Settings(**tls))
    assert isinstance(given, faust.SSLCredentials) and given.context is context


def test_a_user_and_a_password_go_within_tls(sasl):
    options = connection(Settings(**sasl))
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("nurse", "secret")
    given = _credentials(Settings(**sasl))
    assert (given.protocol.value, given.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (given.username, given.password) == ("nurse", "secret")
    assert given.ssl_context is options["ssl_context"]
    assert "secret" not in repr(given)


def test_the_password_may_lie_in_a_file(sasl, tmp_path):
    file = tmp_path / "password"
    settings = Settings(**{**sasl, "kafka_password": "", "kafka_password_file": file})
    with pytest.raises(SettingsError, match=r"KAFKA_PASSWORD_FILE: .*No such file"):
        connection(settings)
    file.write_text("\n")
    with pytest.raises(SettingsError, match=r"KAFKA_PASSWORD_FILE: .* is empty"):
        connection(settings)
    file.write_text("  with spaces \n")
    assert connection(settings)["sasl_plain_password"] == "  with spaces "


def shown(mechanism: str, given: dict[str, object]) -> bytes:
    """What a new connection has of the password, to show it to a broker."""
    options = {name: value for name, value in given.items() if name.startswith("sasl_plain")}
    made = AIOKafkaConnection("127.0.0.1", 1, sasl_mechanism=mechanism, **options)
    if mechanism == "PLAIN":
        sent, _ = next(made.authenticator_plain()._authenticator)
        return sent.split(b"\0")[-1]
    return made.authenticator_scram()._sasl_plain_password


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_new_connection_shows_the_password_that_lies_there_then(
    sasl, mechanism, tmp_path, caplog
):
    file = tmp_path / "password"
    file.write_text("monday\n")
    settings = Settings(**{**sasl, "kafka_password": "", "kafka_password_file": file})

    async def show() -> bytes:
        return shown(mechanism, given)

    given = connection(settings)
    assert asyncio.run(show()) == b"monday"
    file.write_text("tüesday\n")
    assert asyncio.run(show()) == "tüesday".encode()
    with caplog.at_level(logging.ERROR):
        file.unlink()
        assert [asyncio.run(show()) for _ in range(3)] == ["tüesday".encode()] * 3
    (said,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "VAGITUS_KAFKA_PASSWORD_FILE" in said.getMessage()
    assert "day" not in caplog.text


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_password_of_a_variable_is_shown_as_it_is(sasl, mechanism):
    async def show() -> bytes:
        return shown(mechanism, connection(Settings(**sasl)))

    assert asyncio.run(show()) == b"secret"


def test_a_client_is_named_as_the_broker_knows_it(tls, sasl):
    assert identity(Settings(**tls)) == "CN=mon-1"
    assert identity(Settings(**{**tls, **sasl})) == "user nurse"
    assert identity(Settings()) == "a client without a name"


def test_each_scrape_shows_when_our_certificates_end(tls, authority):
    registry = CollectorRegistry()
    gauge = Gauge("ends", "When.", ["certificate"], registry=registry)
    show_expiry(gauge, Settings(**tls))

    def shown(name: str) -> float | None:
        return registry.get_sample_value("ends", {"certificate": name})

    (ca,) = read_certificates(authority.certificate)
    before = shown("kafka-client")
    assert shown("kafka-authority") == ca.ends_at
    authority.issue("mon-1", days=200)
    assert shown("kafka-client") > before
    assert b"mon-1" not in generate_latest(registry)


@contextlib.asynccontextmanager
async def listening(context: ssl.SSLContext | None):
    """A port that says nothing in Kafka's words; yields its address."""

    async def hang_up(_, writer):
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def server_context(authority: Authority, names: str = "IP:127.0.0.1", days: int = 5):
    own = authority.issue("broker", names, days)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.certificate, own.key)
    return context


def said(settings: dict[str, object], context: ssl.SSLContext | None) -> str:
    async def ask() -> str:
        async with listening(context) as address:
            given = Settings(**settings, broker=address)
            return str(await unreachable(given, RuntimeError("unable to bootstrap")))

    return asyncio.run(ask())


def test_a_brokers_certificate_that_ended_is_said(tls, authority):
    sentence = said(tls, server_context(authority, days=-1))
    assert "is not trusted (certificate has expired): have it renewed there" in sentence


def test_a_brokers_certificate_for_another_name_is_said(tls, authority):
    sentence = said(tls, server_context(authority, "DNS:kafka"))
    assert "certificate is not valid for '127.0.0.1'): set VAGITUS_BROKER to a name" in sentence


def test_a_broker_of_another_authority_is_said(tls, tmp_path):
    stranger = server_context(Authority(tmp_path))
    assert "must hold the authority that signed it" in said(tls, stranger)
    without_ca = {"kafka_security": "tls"}
    assert "set VAGITUS_KAFKA_CA to the certificate" in said(without_ca, stranger)


def test_a_port_that_speaks_otherwise_is_said(tls, authority):
    assert "ends a connection that begins with TLS" in said(tls, None)
    assert "ends a connection that begins without TLS" in said({}, server_context(authority))


def test_one_that_answers_is_more_telling_than_one_that_does_not(tls, authority):
    async def ask() -> str:
        async with listening(server_context(authority, days=-1)) as address:
            given = Settings(**tls, broker=f"127.0.0.1:1,{address}")
            return str(await unreachable(given, RuntimeError("unable to bootstrap")))

    assert "certificate has expired" in asyncio.run(ask())


def test_where_none_answers_all_addresses_are_said(tls):
    settings = Settings(**tls, broker="127.0.0.1:1,127.0.0.1:2")
    sentence = str(asyncio.run(unreachable(settings, RuntimeError("unable to bootstrap"))))
    assert sentence.startswith("No Kafka broker answers at 127.0.0.1:1,127.0.0.1:2 (")
    assert sentence.endswith("start one, or set VAGITUS_BROKER.")
