"""All settings, read once from the environment (`VAGITUS_*`) and passed down."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.alerting.notices import Addresses
from streams.errors import SettingsError

PREFIX = "VAGITUS_"
# Read by the training commands and by the tests, not by the running system.
FOREIGN = ("VAGITUS_DATA", "VAGITUS_TEST_")


def _addresses(text: str) -> str:
    """One or more of host:port, with a comma between; raises ValueError."""
    for address in text.split(","):
        host, _, port = address.rpartition(":")
        whole = host.startswith("[") == host.endswith("]")
        if not host or not whole or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"{address!r} is not host:port")
    return text


def _timeline(url: str) -> str:
    """A store of the timeline, or nothing; raises ValueError, without a password in it."""
    if url and not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("it begins with sqlite:/// or postgresql://")
    return url


def _web(url: str) -> str:
    """An address on the web, or nothing; raises ValueError, without a password in it."""
    if url and not re.match(r"https?://[^/\s]+", url):
        raise ValueError("it begins with http:// or https:// and a host")
    return url.rstrip("/")


# An empty variable would be the present folder.
File = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
_TLS = ("kafka_ca", "kafka_certificate", "kafka_key")
_SASL = ("kafka_user", "kafka_password", "kafka_password_file")
# For a broker of our own on loopback, whatever is set for the hospital's.
PLAINTEXT = {"kafka_security": "plaintext", **dict.fromkeys((*_TLS, *_SASL), "")}


class Settings(BaseSettings):
    """What may be set; each field is the environment variable `VAGITUS_<FIELD>` in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    broker: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1:9092", description="Kafka bootstrap address, host:port."
    )
    kafka_security: Literal["plaintext", "tls", "sasl-tls"] = Field(
        "plaintext",
        description="How Kafka is spoken to: plaintext, tls (with a certificate of one's own or "
        "without), or sasl-tls (a user and a password within TLS).",
    )
    kafka_ca: File = Field(
        None,
        description="PEM file of the authorities that sign the brokers' certificates; empty takes "
        "the system's.",
    )
    kafka_certificate: File = Field(
        None, description="PEM file of this client's own certificate, and of those between."
    )
    kafka_key: File = Field(
        None, description="PEM file of that certificate's private key, without a password."
    )
    kafka_sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How the password is shown: SCRAM-SHA-512, -256, or PLAIN."
    )
    kafka_user: str = Field("", description="Name of the user, with sasl-tls.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Its password; or in a file:")
    kafka_password_file: File = Field(None, description="The file that holds the password.")
    topic_prefix: str = Field(
        "vagitus.", pattern=r"^[A-Za-z0-9._-]*$", description="What every topic's name begins with."
    )
    app_id: str = Field(
        "vagitus", pattern=r"^[A-Za-z0-9._-]+$", description="Consumer group of the workers."
    )
    partitions: int = Field(
        32, ge=1, le=1024, description="Partitions of every topic: the most workers that can share."
    )
    replication: int = Field(1, ge=1, le=9, description="Copies of every topic and changelog.")
    state_dir: Path = Field(
        Path(".run/worker"), description="Where a worker keeps its local copy of the tables."
    )
    timeline_url: Annotated[str, AfterValidator(_timeline)] = Field(
        "",
        repr=False,  # may hold a password
        description="Where the timeline is: sqlite:///FILE, for the workers of one machine, or "
        "postgresql://USER:PASSWORD@HOST/DATABASE, for those of several; empty takes a SQLite "
        "file in the state directory.",
    )
    timeline_days: int = Field(
        400, ge=1, le=36500, description="Days that a row of the timeline is kept."
    )
    alertmanager_url: Annotated[str, AfterValidator(_web)] = Field(
        "",
        repr=False,  # may hold a password
        description="Alertmanager that patients' alerts are posted to at once, e.g. "
        "http://127.0.0.1:9093; empty leaves them to Prometheus' rules.",
    )
    runbooks_url: str = Field(
        Addresses().runbooks, description="Where the alerts' runbooks are to be read."
    )
    grafana_url: str = Field(
        Addresses().grafana,
        description="Where Grafana is read, for alerts' links to their dashboards.",
    )
    metrics_port: int = Field(
        9464, ge=0, le=65535, description="Port of /metrics; 0 takes a free one."
    )
    metrics_host: str = Field("127.0.0.1", description="Interface of /metrics.")
    weights_dir: Path | None = Field(None, description="Models to use instead of the shipped ones.")
    inference_threads: int = Field(1, ge=1, le=64, description="Threads of one model call.")
    batch_chunks: int = Field(256, ge=1, le=4096, description="Most chunks scored in one call.")
    batch_wait_seconds: float = Field(
        0.25,
        gt=0,
        le=5,
        description="Longest that a chunk waits for others: so long only where the worker is busy, "
        "otherwise down to 0.05.",
    )
    commit_interval_seconds: float = Field(1.0, gt=0, le=60, description="Between commits.")
    session_timeout_seconds: float = Field(
        10.0, ge=6, le=300, description="After this a dead worker's share goes to another."
    )
    onset_score: float = Field(0.5, gt=0, lt=1, description="A score that opens a segment.")
    offset_score: float = Field(0.1, gt=0, lt=1, description="A score under which it may close.")
    hangover_seconds: int = Field(
        2, ge=1, le=10, description="Seconds under the offset score that close a segment."
    )
    minimum_segment_seconds: int = Field(
        2,
        ge=1,
        le=10,
        description="Seconds in a row, none under the offset score, that a cry must have.",
    )
    sure_score: float = Field(
        0.96,
        ge=0,
        lt=1,
        description="Score that one of these seconds must have.",
    )
    silent_after_seconds: float = Field(
        5.0, gt=1, le=600, description="Without a chunk for this long, a monitor is silent."
    )

    @classmethod
    def read(cls, **overrides: object) -> "Settings":
        """The settings of this process; `overrides` come from the command line.

        Raises:
            SettingsError: one is unknown or cannot be used; says which and why.
        """
        known = {PREFIX + name.upper() for name in cls.model_fields}
        for name in os.environ:
            if name.startswith(PREFIX) and name not in known and not name.startswith(FOREIGN):
                raise SettingsError(f"Unknown setting {name}: see `vagitus worker --help`.")
        try:
            settings = cls(**{k: v for k, v in overrides.items() if v is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else PREFIX
            reason = first["msg"].removeprefix("Value error, ")
            raise SettingsError(f"{name}: {reason}.") from None
        if settings.offset_score > settings.onset_score:
            raise SettingsError(f"{PREFIX}OFFSET_SCORE is above {PREFIX}ONSET_SCORE.")
        settings._check_kafka()
        return settings

    def _check_kafka(self) -> None:
        """Whether what is set of Kafka's security belongs together; raises SettingsError."""
        kind = self.kafka_security
        here = f"with {PREFIX}KAFKA_SECURITY={kind}"
        unused = {"plaintext": _TLS + _SASL, "tls": _SASL, "sasl-tls": ()}[kind]
        for name in unused:
            if getattr(self, name):
                fit = "tls or sasl-tls" if name in _TLS else "sasl-tls"
                raise SettingsError(
                    f"{PREFIX}{name.upper()} means nothing {here}: set that to {fit}, or leave "
                    "this out."
                )
        if bool(self.kafka_certificate) != bool(self.kafka_key):
            raise SettingsError(
                f"{PREFIX}KAFKA_CERTIFICATE and {PREFIX}KAFKA_KEY need each other: set both, or "
                "neither."
            )
        if kind == "sasl-tls":
            if not self.kafka_user:
                raise SettingsError(f"{PREFIX}KAFKA_USER is missing {here}.")
            if bool(self.kafka_password) == bool(self.kafka_password_file):
                names = f"{PREFIX}KAFKA_PASSWORD or {PREFIX}KAFKA_PASSWORD_FILE"
                raise SettingsError(f"{names}: set one of them {here}.")
