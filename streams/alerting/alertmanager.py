"""Alertmanager's API, version 2, as far as it is needed: posting alerts."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp

from streams.alerting.notices import TEXTS, Addresses
from streams.errors import AlertmanagerError

# Longer than a busy one takes; shorter than anybody would wait for the next infant's alert.
TIMEOUT_SECONDS = 5.0
# An alert of a worker that died ends by itself: five times as long as it is left unsaid.
HOLD_SECONDS = 300.0
HTTPS_PORT = 443

Place = tuple[str, str, str]
"""Ward, bed, infant."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        labels: what makes it this alert and no other.
        annotations: what it says.
        since_ms: when it began, ms since 1970 UTC.
    """

    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    since_ms: int

    def body(self, ends_at: float) -> dict[str, object]:
        """As it is posted; `ends_at` in seconds since 1970: it is over from then on."""
        return {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": _time(self.since_ms / 1000),
            "endsAt": _time(ends_at),
        }


def patient_alert(name: str, place: Place, value: int, since_ms: int, at: Addresses) -> Alert:
    """The alert of an infant, as Prometheus' rule makes it: see `notices`."""
    text = TEXTS[name]
    where = dict(zip(("ward", "bed", "infant"), place, strict=True))
    labels = {"alertname": name, **text.labels(), **where}
    annotations = text.annotations(at, {**where, "value": value})
    return Alert(tuple(sorted(labels.items())), tuple(sorted(annotations.items())), since_ms)


class Alertmanager:
    """One Alertmanager, by its URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def post(self, active: Sequence[Alert], ended: Sequence[Alert], now: float) -> None:
        """Say which alerts there are, and which have ended.

        Raises:
            AlertmanagerError: it did not take them.
        """
        alerts = [alert.body(now + HOLD_SECONDS) for alert in active]
        alerts += [alert.body(now) for alert in ended]
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.post(f"{self._url}/api/v2/alerts", json=alerts) as answer:
                if answer.status // 100 != 2:
                    text = (await answer.text())[:200]
                    raise AlertmanagerError(f"it answered {answer.status} {text!r}")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AlertmanagerError(f"{type(error).__name__}: {error}") from None

    async def certificate(self) -> tuple[str, float] | None:
        """Whose certificate it shows, host:port, and when that ends, in seconds since 1970.

        None without https. Raises AlertmanagerError where none is shown, or one not trusted.
        """
        address = urlsplit(self._url)
        if address.scheme != "https":
            return None
        host, port = address.hostname or "", address.port or HTTPS_PORT
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                _, writer = await asyncio.open_connection(
                    host, port, ssl=ssl.create_default_context()
                )
        except (OSError, TimeoutError) as error:
            raise AlertmanagerError(f"its certificate is not to be had: {error}") from None
        try:
            shown = writer.get_extra_info("peercert")
        finally:
            writer.close()
        return f"{host}:{port}", float(ssl.cert_time_to_seconds(shown["notAfter"]))

    async def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
