"""How every client of the broker reaches it: one place for address and credentials."""

import ssl
from functools import lru_cache
from pathlib import Path

from aiokafka import errors
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.protocol.metadata import MetadataRequest
from prometheus_client import Gauge

from streams.errors import BrokerError
from streams.kafka.certificates import Files, RenewedContext, expiry, read_certificates
from streams.kafka.password import RenewedPassword
from streams.settings import Settings

# To find out why no broker answers: it must not take as long as to find that none does.
PROBE_MS = 5_000
# OpenSSL's reasons for not trusting a certificate (`man x509_vfy`).
ENDED, OTHER_NAMES = 10, (62, 64)
# What a port that speaks no TLS makes of its beginning, and we of its answer.
NO_TLS = ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE")
NO_RIGHT = (
    errors.TopicAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
)
# How a reader of what comes all the time lets it gather: an answer of the broker for each record
# would cost more than what is done with it.
GATHERED = {"fetch_min_bytes": 1_000_000, "fetch_max_wait_ms": 250}
CLIENT, AUTHORITY = "kafka-client", "kafka-authority"


def connection(settings: Settings) -> dict[str, object]:
    """The options with which aiokafka's clients are made.

    Raises:
        SettingsError: a file of certificates or the password's cannot be used.
    """
    options: dict[str, object] = {"bootstrap_servers": settings.broker}
    if settings.kafka_security == "plaintext":
        return options
    options |= {"security_protocol": "SSL", "ssl_context": _context(_files(settings))}
    if settings.kafka_security == "sasl-tls":
        options |= {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": (
                _password(settings.kafka_password_file)
                if settings.kafka_password_file
                else settings.kafka_password.get_secret_value()
            ),
        }
    return options


def _files(settings: Settings) -> Files:
    return Files(settings.kafka_ca, settings.kafka_certificate, settings.kafka_key)


@lru_cache(maxsize=4)
def _context(files: Files) -> ssl.SSLContext:
    """One for all clients of a process, so that a renewal is seen once."""
    return RenewedContext(files)


@lru_cache(maxsize=4)
def _password(path: Path) -> RenewedPassword:
    """One for all clients of a process, so that a change is said once."""
    return RenewedPassword(path)


def certificate_files(settings: Settings) -> dict[str, Path]:
    """The files whose certificates end some day, by what they are for."""
    files = {CLIENT: settings.kafka_certificate, AUTHORITY: settings.kafka_ca}
    return {name: path for name, path in files.items() if path is not None}


def show_expiry(gauge: Gauge, settings: Settings) -> None:
    """Have each scrape show when our certificates end, as the files say it then."""
    for name, path in certificate_files(settings).items():
        gauge.labels(name).set_function(expiry(path))


def identity(settings: Settings) -> str:
    """As whom the broker knows this client, for messages."""
    if settings.kafka_user:
        return f"user {settings.kafka_user}"
    if settings.kafka_certificate is not None:
        return f"CN={read_certificates(settings.kafka_certificate)[0].name}"
    return "a client without a name"


def refusal(settings: Settings, error: Exception) -> str:
    """Why the broker did not do something, as a clause: with who lacks a right, where one does."""
    if isinstance(error, NO_RIGHT):
        return f"{identity(settings)} has no right to it ({error})"
    return str(error)


async def unreachable(settings: Settings, error: Exception) -> BrokerError:
    """The error to raise where a client could not start, with the reason that it keeps to itself.

    Args:
        settings: as the client had them.
        error: what the client said: "unable to bootstrap", mostly.
    """
    options = connection(settings)
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers")):
        try:
            probe = await create_conn(host, port, request_timeout_ms=PROBE_MS, **options)
            try:
                # Which versions it speaks a broker says also to whom it has yet to know.
                await probe.send(MetadataRequest([]))
            finally:
                probe.close()
        except (errors.KafkaError, OSError, EOFError, TimeoutError) as reason:
            if sentence := _sentence(f"{host}:{port}", reason, settings):
                return BrokerError(sentence)
            error = reason
    return BrokerError(
        f"No Kafka broker answers at {settings.broker} ({str(error) or type(error).__name__}): "
        "start one, or set VAGITUS_BROKER."
    )


def _sentence(address: str, reason: BaseException, settings: Settings) -> str | None:
    """What a broker that is there has against us; None where none answers."""
    # What ended the connection is the cause of the request's failure.
    if isinstance(reason, errors.KafkaConnectionError) and reason.__cause__ is not None:
        reason = reason.__cause__
    plain = settings.kafka_security == "plaintext"
    match reason:
        case ssl.SSLCertVerificationError():
            return _untrusted(address, reason, settings)
        case ssl.SSLError() if reason.reason not in NO_TLS:
            return _refused(address, reason, settings)
        case errors.UnsupportedSaslMechanismError():
            return (
                f"The broker at {address} takes no {settings.kafka_sasl_mechanism}: set "
                "VAGITUS_KAFKA_SASL_MECHANISM to what it takes."
            )
        case errors.AuthenticationFailedError() | errors.SaslAuthenticationFailed():
            return (
                f"The broker at {address} does not accept user {settings.kafka_user} with this "
                f"password by {settings.kafka_sasl_mechanism}."
            )
        case EOFError() | ConnectionResetError() | ssl.SSLError():
            spoken = "without TLS" if plain else "with TLS"
            return (
                f"What listens at {address} ends a connection that begins {spoken}: does "
                "VAGITUS_KAFKA_SECURITY fit this port?"
            )
    return None


def _untrusted(address: str, reason: ssl.SSLCertVerificationError, settings: Settings) -> str:
    said = reason.verify_message.rstrip(".")
    if reason.verify_code == ENDED:
        advice = "have it renewed there (and are both clocks right?)"
    elif reason.verify_code in OTHER_NAMES:
        advice = "set VAGITUS_BROKER to a name that is in it, or have that name put in"
    elif settings.kafka_ca is None:
        advice = "set VAGITUS_KAFKA_CA to the certificate of the authority that has signed it"
    else:
        advice = f"{settings.kafka_ca} (VAGITUS_KAFKA_CA) must hold the authority that signed it"
    return f"The certificate of the broker at {address} is not trusted ({said}): {advice}."


def _refused(address: str, reason: ssl.SSLError, settings: Settings) -> str:
    said = (reason.reason or "no reason given").lower().replace("_", " ")
    if settings.kafka_certificate is None:
        advice = "it may want one, so set VAGITUS_KAFKA_CERTIFICATE and VAGITUS_KAFKA_KEY"
    else:
        advice = (
            f"{settings.kafka_certificate} ({identity(settings)}) must be signed by an authority "
            "that it knows"
        )
    return f"The broker at {address} wants another certificate of this client ({said}): {advice}."
