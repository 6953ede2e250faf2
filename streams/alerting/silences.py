"""Silences: whose alerts nobody is told of now. Alertmanager keeps them over a restart."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from streams.alerting.notices import SYSTEM
from streams.errors import AlertmanagerError

TIMEOUT_SECONDS = 10.0
# What concerns an infant's cries. Whether its monitor works is another matter, and not silenced
# with it.
OF_CRIES = "Infant.*"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label and what it must be: a value, or a regular expression of whole values."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True
    """Whether it must be that, or must not."""

    def __str__(self) -> str:
        signs = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
        sign = signs[self.is_equal, self.is_regex]
        return f"{self.name}{sign}{self.value}"


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence that is in force, or will be.

    Attributes:
        id: by which it is lifted.
        matchers: an alert that all of them fit is silent; without the one of our system.
        from_ms: when it begins, ms since 1970 UTC.
        until_ms: when it ends by itself, ms since 1970 UTC.
        who: whoever asked for it.
        why: in their own words.
    """

    id: str
    matchers: tuple[Matcher, ...]
    from_ms: int
    until_ms: int
    who: str
    why: str


class Silences:
    """The silences of one Alertmanager.

    Args:
        url: of it, e.g. `http://127.0.0.1:9093`.

    Raises:
        AlertmanagerError: from every method, where it does not answer, or refuses.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def add(
        self,
        matchers: Sequence[Matcher],
        until_ms: int,
        who: str,
        why: str,
        from_ms: int | None = None,
    ) -> str:
        """Silence what all matchers fit, from now on or later; returns the silence's id."""
        ours = [*matchers, Matcher("system", SYSTEM)]
        body = {
            "matchers": [
                {"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": m.is_equal}
                for m in ours
            ],
            "startsAt": _time(max(time.time(), (from_ms or 0) / 1000)),
            "endsAt": _time(until_ms / 1000),
            "createdBy": who,
            "comment": why or "without a reason",
        }
        return self._ask("POST", "/silences", body)["silenceID"]

    def lift(self, silence_id: str) -> None:
        """End a silence before its time."""
        self._ask("DELETE", f"/silence/{quote(silence_id, safe='')}")

    def all(self) -> list[Silence]:
        """Those of ours that have not ended, the first to end first."""
        found = self._ask("GET", f"/silences?{urlencode({'filter': f'system={SYSTEM}'})}")
        silences = [_silence(one) for one in found if one["status"]["state"] != "expired"]
        return sorted(silences, key=lambda silence: silence.until_ms)

    def alerts(self, infant: str | None = None) -> list[Mapping[str, Any]]:
        """Alerts of ours that are active, silent ones too, as Alertmanager holds them."""
        filters = [f"system={SYSTEM}", *([f"infant={json.dumps(infant)}"] if infant else [])]
        return self._ask("GET", f"/alerts?{urlencode([('filter', f) for f in filters])}")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        request = Request(
            f"{self._url}/api/v2{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            said = error.read(200).decode(errors="replace").strip()
            raise AlertmanagerError(f"Alertmanager refuses ({error.code}): {said}.") from None
        except (OSError, HTTPException, ValueError) as error:
            raise AlertmanagerError(
                "No Alertmanager answers at VAGITUS_ALERTMANAGER_URL "
                f"({getattr(error, 'reason', error)})."
            ) from None


def _silence(one: Mapping[str, Any]) -> Silence:
    matchers = tuple(
        Matcher(m["name"], m["value"], m["isRegex"], m.get("isEqual", True))
        for m in one["matchers"]
        if m["name"] != "system"
    )
    from_ms, until_ms = (
        round(datetime.fromisoformat(one[name]).timestamp() * 1000)
        for name in ("startsAt", "endsAt")
    )
    return Silence(one["id"], matchers, from_ms, until_ms, one["createdBy"], one["comment"])


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
