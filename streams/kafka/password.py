"""The password in a file: each new connection to Kafka shows what lies there then."""

import logging
from pathlib import Path

from aiokafka.conn import AIOKafkaConnection, SaslPlainAuthenticator

from streams.errors import SettingsError

logger = logging.getLogger(__name__)


def read_password(path: Path) -> str:
    """What a file holds, but for its last end of line; raises SettingsError where there is none."""
    try:
        password = path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(f"VAGITUS_KAFKA_PASSWORD_FILE: {path} cannot be read: {why}.") from None
    if not password:
        raise SettingsError(f"VAGITUS_KAFKA_PASSWORD_FILE: {path} is empty.")
    return password


class RenewedPassword(str):
    """What a file holds, for aiokafka's clients and Faust: they keep it and encode it to show it.

    So a password that is changed needs no restart. A file that cannot be used is said once, and the
    password that was read before it stays in use.

    Raises:
        SettingsError: the file cannot be used.
    """

    def __new__(cls, path: Path) -> "RenewedPassword":
        return super().__new__(cls, read_password(path))

    def __init__(self, path: Path) -> None:
        self._path, self._current, self._trouble = path, str(self), ""

    def encode(self, *args: str, **kwargs: str) -> bytes:
        """As it is shown to a broker: what the file holds now."""
        trouble = ""
        try:
            current = read_password(self._path)
            if current != self._current:
                logger.warning("The password for Kafka was changed: new connections use it.")
            self._current = current
        except SettingsError as error:
            trouble = str(error)
            if trouble != self._trouble:
                logger.error("The password for Kafka is left as it was. %s", error)
        self._trouble = trouble
        return self._current.encode(*args, **kwargs)


def _authenticator_plain(self: AIOKafkaConnection) -> SaslPlainAuthenticator:
    # aiokafka puts this one between user and zeros without encoding it by itself.
    return SaslPlainAuthenticator(
        loop=self._loop,
        sasl_plain_password=self._sasl_plain_password.encode().decode(),
        sasl_plain_username=self._sasl_plain_username,
    )


AIOKafkaConnection.authenticator_plain = _authenticator_plain
