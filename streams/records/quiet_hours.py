"""`quiet-hours`: when a ward is not told of lesser alerts. Compacted; key: the rule's id; a
tombstone takes one back."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from streams.alerting.notices import Severity
from streams.errors import Refusal, RefusedMessage
from streams.records.baseline_act import MAX_WHO, MAX_WHY
from streams.records.jsons import JsonRecord

_WARD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# What is high is always told.
QUIETED = {
    Severity.LOW.value: (Severity.LOW.value,),
    Severity.MEDIUM.value: (Severity.LOW.value, Severity.MEDIUM.value),
}


@dataclass(frozen=True)
class QuietHours(JsonRecord):
    """A rule: each day, from a time to a time.

    Attributes:
        ward: whose alerts.
        begins, ends: times of day, as 21:00; an end that is not later is the next day's.
        zone: in which these are meant, by its name in the IANA database.
        up_to: `low` or `medium`: alerts of no higher priority are not told.
        at_ms: when staff set it, ms since 1970 UTC.
        who: whoever did it, by a pseudonym or a role.
        why: in their own words; may be empty.

    Raises:
        RefusedMessage: a field is not as said.
    """

    ward: str
    begins: str
    ends: str
    zone: str
    up_to: str
    at_ms: int
    who: str
    why: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.ward, str) or not _WARD.fullmatch(self.ward):
            _refuse(f"ward {str(self.ward)[:40]!r} is not 1 to 128 of A-Z a-z 0-9 . _ : / -")
        for at in (self.begins, self.ends):
            if not isinstance(at, str) or not _CLOCK.fullmatch(at):
                _refuse(f"{str(at)[:40]!r} is not a time of day, as 21:00")
        if self.begins == self.ends:
            _refuse("hours that end when they begin are none")
        if self.up_to not in QUIETED:
            _refuse(f"quiet is kept of low or medium alerts, not of {str(self.up_to)[:40]!r}")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            _refuse(f"{str(self.zone)[:40]!r} is no time zone, as Europe/Berlin")
        if not isinstance(self.at_ms, int):
            _refuse("at_ms is not a whole number")
        for name, least, most in (("who", 1, MAX_WHO), ("why", 0, MAX_WHY)):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.isprintable():
                _refuse(f"{name} is not one line of text")
            if not least <= len(text) <= most:
                raise RefusedMessage(
                    Refusal.OVER_LONG, f"{name} is not of {least} to {most} characters"
                )

    @cached_property
    def id(self) -> str:
        """By which it is taken back: the same hours of a ward are one rule."""
        return f"{self.ward}/{self.begins}-{self.ends}"

    @property
    def quieted(self) -> tuple[str, ...]:
        """The priorities that are not told of."""
        return QUIETED[self.up_to]

    def window(self, now_ms: int) -> tuple[int, int]:
        """When they are kept next, or are kept now: from and until, ms since 1970 UTC."""
        zone = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()
        begins, ends = time.fromisoformat(self.begins), time.fromisoformat(self.ends)
        over_night = timedelta(days=ends <= begins)
        for days in (-1, 0, 1, 2):
            day = today + timedelta(days=days)
            from_ms, until_ms = _ms(day, begins, zone), _ms(day + over_night, ends, zone)
            # Where the clock is put forward, an hour of a day is not, nor are quiet hours in it.
            if until_ms > max(now_ms, from_ms):
                return from_ms, until_ms
        raise AssertionError("a clock is not put forward on two days")


def _ms(day: date, at: time, zone: ZoneInfo) -> int:
    return round(1000 * datetime.combine(day, at, zone).timestamp())


def _refuse(why: str) -> None:
    raise RefusedMessage(Refusal.ABSURD_HEADER, why)
