"""Files of certificates: whom we trust, who we are, and until when."""

import calendar
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from streams.errors import SettingsError

logger = logging.getLogger(__name__)
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
COMMON_NAME = bytes.fromhex("550403")  # 2.5.4.3, as DER has it
# Tags of DER, as far as they stand before a certificate's key (RFC 5280, 4.1).
VERSION, OBJECT_ID, UTC_TIME = 0xA0, 0x06, 0x17
SETTINGS = ("VAGITUS_KAFKA_CA", "VAGITUS_KAFKA_CERTIFICATE", "VAGITUS_KAFKA_KEY")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What of a certificate is of use here.

    Attributes:
        name: the common name of its subject, empty without one.
        begins_at: from when on it is valid, in seconds since 1970.
        ends_at: until when, likewise.
    """

    name: str
    begins_at: float
    ends_at: float


def decode(der: bytes) -> Certificate:
    """A certificate in DER; raises ValueError where it is none."""
    try:
        (_, whole), *_ = _elements(der)
        (_, body), *_ = _elements(whole)
        fields = [value for tag, value in _elements(body) if tag != VERSION]
        _serial, _signature, _issuer, validity, subject, *_ = fields
        begins, ends = (_seconds(tag, value) for tag, value in _elements(validity))
        return Certificate(_common_name(subject), begins, ends)
    except (IndexError, ValueError) as error:
        raise ValueError("this is no certificate") from error


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of every element of a DER sequence."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        if at + length > len(der):
            raise ValueError("cut off")
        yield tag, der[at : at + length]
        at += length


def _seconds(tag: int, value: bytes) -> float:
    text = value.decode("ascii")
    if tag == UTC_TIME:  # with two digits of the year, which RFC 5280 puts between 1950 and 2049
        text = ("19" if text[:2] >= "50" else "20") + text
    return float(calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ")))


def _common_name(subject: bytes) -> str:
    for _, names in _elements(subject):
        for _, name in _elements(names):
            (tag, kind), (_, text) = _elements(name)
            if (tag, kind) == (OBJECT_ID, COMMON_NAME):
                return text.decode(errors="replace")
    return ""


def read_certificates(path: Path) -> list[Certificate]:
    """The certificates in a PEM file, one at least.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds none.
    """
    pieces = path.read_text("ascii", errors="replace").split(BEGIN)[1:]
    blocks = [BEGIN + piece.partition(END)[0] + END for piece in pieces]
    if not blocks:
        raise ValueError("it holds no certificate in PEM")
    return [decode(ssl.PEM_cert_to_DER_cert(block)) for block in blocks]


def expiry(path: Path) -> Callable[[], float]:
    """What says when the first certificate of a file ends, in seconds since 1970.

    The file is read again once it is another; what cannot be read leaves the answer as it was.
    """
    said = float("nan")

    def ends_at() -> float:
        nonlocal said
        try:
            said = _ends_at(path, _stamp(path))
        except (OSError, ValueError):
            logger.warning("When the certificate in %s ends cannot be read.", path)
        return said

    return ends_at


@lru_cache(maxsize=16)
def _ends_at(path: Path, _stamp: tuple[int, ...]) -> float:
    return min(certificate.ends_at for certificate in read_certificates(path))


def _stamp(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a client of Kafka, all in PEM.

    Attributes:
        ca: certificates of the authorities that are trusted; None trusts the system's.
        certificate: the client's own, with those between it and its authority; None has none.
        key: the private key of the certificate, without a password.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def stamps(self) -> tuple[tuple[int, ...], ...]:
        """Something that is another once a file is another; raises OSError."""
        return tuple(_stamp(path) for path in (self.ca, self.certificate, self.key) if path)

    def load(self) -> ssl.SSLContext:
        """A context of the files as they are now, which verifies authority and host name.

        Raises:
            SettingsError: a file cannot be used; says which and why.
        """
        for setting, path in zip(SETTINGS[:2], (self.ca, self.certificate), strict=True):
            if path is not None:
                _check(setting, path)
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate is None:
            return context
        assert self.key is not None
        try:
            self.key.read_bytes()
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                why = f"it is not the key of the certificate in {self.certificate}"
            else:
                why = "it holds no private key in PEM"
            raise _unusable(SETTINGS[2], self.key, why) from None
        except OSError as error:
            raise _unusable(SETTINGS[2], self.key, error.strerror or str(error)) from None
        except ValueError as error:
            raise _unusable(SETTINGS[2], self.key, str(error)) from None
        return context


def _check(setting: str, path: Path) -> None:
    """Whether a file holds a certificate that is valid now; raises SettingsError."""
    try:
        found = read_certificates(path)
    except OSError as error:
        raise _unusable(setting, path, error.strerror or str(error)) from None
    except ValueError as error:
        raise _unusable(setting, path, str(error)) from None
    now = time.time()
    # Authorities that have ended may lie beside those that have not.
    if any(one.begins_at <= now < one.ends_at for one in found):
        return
    first = found[0]
    if first.ends_at <= now:
        why = f"its certificate ({first.name}) ended on {_day(first.ends_at)}: renew it"
    else:
        why = (
            f"its certificate ({first.name}) begins on {_day(first.begins_at)} only: "
            "is this machine's clock right?"
        )
    raise _unusable(setting, path, why)


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _unusable(setting: str, path: Path, why: str) -> SettingsError:
    return SettingsError(f"{setting}: {path} cannot be used: {why}.")


def _no_password() -> str:
    # Otherwise OpenSSL would ask for it at the terminal, and wait.
    raise ValueError("its key is under a password: give one without")


class RenewedContext(ssl.SSLContext):
    """A client's context of which every new connection takes the files as they are then.

    So a certificate that is renewed needs no restart: connections that stand are left alone. What
    cannot be used is said once, and the files that were read before it stay in use.

    Raises:
        SettingsError: a file cannot be used.
    """

    _files: Files

    def __new__(cls, files: Files) -> "RenewedContext":
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lock = threading.Lock()  # Faust's consumer has a thread of its own
        self._current = files.load()
        self._stamps: object = files.stamps()

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """As asyncio begins a connection."""
        return self._fresh().wrap_bio(*args, **kwargs)

    def _fresh(self) -> ssl.SSLContext:
        with self._lock:
            try:
                stamps: object = self._files.stamps()
            except OSError as error:
                stamps = str(error)
            if stamps != self._stamps:
                self._stamps = stamps
                try:
                    self._current = self._files.load()
                    logger.warning("Certificates for Kafka were renewed: new connections use them.")
                except SettingsError as error:
                    logger.error("Renewed certificates for Kafka are left aside. %s", error)
            return self._current
