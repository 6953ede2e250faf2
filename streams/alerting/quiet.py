"""Quiet hours as silences: what there should be beside what there is.

Alertmanager knows no silence that comes again each day, and its configuration is not staff's to
write. So each rule has one silence there, of the hours that are or come next. Both ways of an
alert, the workers' and Prometheus', pass Alertmanager, so it holds for both; and it holds while no
worker runs.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from streams.alerting.silences import Matcher, Silence
from streams.records.quiet_hours import QuietHours

# They say that nobody listens to an infant: then nothing of higher priority can come, and quiet
# would be taken for peace.
ALWAYS_TOLD = "MonitorSilent|MonitorNeverHeard"
_MARK = re.compile(r"quiet hours (\S+/\d\d:\d\d-\d\d:\d\d)(?:;.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Due:
    """A silence that a rule asks for."""

    rule: QuietHours
    from_ms: int
    until_ms: int

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """Which alerts it is about."""
        return (
            Matcher("ward", self.rule.ward),
            Matcher("severity", "|".join(self.rule.quieted), is_regex=True),
            Matcher("alertname", ALWAYS_TOLD, is_regex=True, is_equal=False),
        )

    @property
    def why(self) -> str:
        """What says whose silence it is, and why."""
        mark = f"quiet hours {self.rule.id}"
        return f"{mark}; {self.rule.why}" if self.rule.why else mark

    def is_met(self, silence: Silence) -> bool:
        """Whether a silence is this one."""
        return (
            set(silence.matchers) == set(self.matchers)
            and silence.until_ms == self.until_ms
            and (silence.who, silence.why) == (self.rule.who, self.why)
        )


def rule_of(silence: Silence) -> str | None:
    """The id of the rule that a silence was made for; None where somebody asked for it by hand."""
    found = _MARK.fullmatch(silence.why)
    return found[1] if found else None


def due(rules: Iterable[QuietHours], now_ms: int) -> Iterator[Due]:
    """The silences that there should be."""
    for rule in rules:
        yield Due(rule, *rule.window(now_ms))
