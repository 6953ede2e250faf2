"""What an infant's timeline shows, as numbers: what the terminal and the page then draw."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from models.deviation.gate import DEVIANT_BELOW_P, Decision, Reason
from streams import words
from streams.records.deviation import DeviationRecord

# Sigma is about N(0, 1) on usual cries: nineteen of twenty lie within.
USUAL_SIGMA = 2.0
# ... and one in a hundred beyond this, where the gate calls a cry deviant. The gate asks the
# conformal p-value, so single cries near the line may fall on its other side.
DEVIANT_SIGMA = statistics.NormalDist().inv_cdf(1 - DEVIANT_BELOW_P)
# A shorter time is shown by the hour, a longer one by the day.
HOURLY_DAYS = 3
_DAY_MS = 24 * 60 * 60 * 1000
_OWN_CRY = {reason.value for reason in Reason if reason.is_own_cry}


class Mark(StrEnum):
    """What became of a cry, in one word."""

    LEARNED = "learned"
    """The baseline took it."""
    UNUSUAL = "unusual"
    """Fit to be judged, and unusual for this infant."""
    HELD = "held"
    """Less usual than most: learned from once usual ones have followed."""
    REFUSED = "refused"
    """Not fit to be learned from, so it says little about the infant."""

    @classmethod
    def of(cls, cry: DeviationRecord) -> "Mark":
        """The mark of a cry."""
        strange = cry.p_value is not None and cry.p_value < DEVIANT_BELOW_P
        if strange and cry.reason in _OWN_CRY:
            return cls.UNUSUAL
        kept = {Decision.ACCEPTED: cls.LEARNED, Decision.HELD: cls.HELD}
        return kept.get(cry.gate, cls.REFUSED)


@dataclass(frozen=True, slots=True)
class Span:
    """An hour or a day.

    Attributes:
        begin: local time.
        cries: how many began in it.
        minutes: of crying.
        sigma: the median over cries that say something about the infant; None without one.
        unusual: how many were unusual for the infant.
        drift_sigma: as it was after the last cry that has one; None without one.
        drifting: whether drift was said at any of them.
    """

    begin: datetime
    cries: int
    minutes: float
    sigma: float | None
    unusual: int
    drift_sigma: float | None
    drifting: bool


def local(at_ms: float, zone: tzinfo | None = None) -> datetime:
    """A moment (ms since 1970 UTC) as wall-clock time, of this machine where no zone is given."""
    return datetime.fromtimestamp(at_ms / 1000, zone).replace(tzinfo=None)


def is_hourly(cries: Sequence[DeviationRecord]) -> bool:
    """Whether so short a time is shown by the hour."""
    return cries[-1].started_at_ms - cries[0].started_at_ms <= HOURLY_DAYS * _DAY_MS


def spans(cries: Sequence[DeviationRecord], zone: tzinfo | None = None) -> list[Span]:
    """Hours or days from the first cry to the last, those without a cry too.

    cries: in time order, at least one.
    """
    hourly = is_hourly(cries)
    step = timedelta(hours=1) if hourly else timedelta(days=1)
    inside: dict[datetime, list[DeviationRecord]] = {}
    for cry in cries:
        inside.setdefault(_floor(local(cry.started_at_ms, zone), hourly), []).append(cry)
    begin, last = min(inside), max(inside)
    found = []
    while begin <= last:
        found.append(_span(begin, inside.get(begin, [])))
        begin += step
    return found


def _floor(moment: datetime, hourly: bool) -> datetime:
    return moment.replace(hour=moment.hour if hourly else 0, minute=0, second=0, microsecond=0)


def _span(begin: datetime, cries: list[DeviationRecord]) -> Span:
    sigmas = [c.sigma for c in cries if c.sigma is not None and c.reason in _OWN_CRY]
    drifts = [c.drift_sigma for c in cries if c.drift_sigma is not None]
    return Span(
        begin=begin,
        cries=len(cries),
        minutes=sum(cry.seconds for cry in cries) / 60,
        sigma=statistics.median(sigmas) if sigmas else None,
        unusual=sum(Mark.of(cry) is Mark.UNUSUAL for cry in cries),
        drift_sigma=drifts[-1] if drifts else None,
        drifting=any(cry.drifting for cry in cries),
    )


def drift_times(cries: Sequence[DeviationRecord]) -> Iterator[tuple[int, int]]:
    """From when to when drift was said, ms since 1970 UTC; the last may still go on."""
    begin = None
    for cry in cries:
        if cry.drifting and begin is None:
            begin = cry.started_at_ms
        elif not cry.drifting and begin is not None:
            yield begin, cry.started_at_ms
            begin = None
    if begin is not None:
        yield begin, cries[-1].started_at_ms


def sigma_range(cries: Sequence[DeviationRecord]) -> tuple[int, int]:
    """The whole numbers of sigma to draw between: the bands at least, and every cry."""
    sigmas = [cry.sigma for cry in cries if cry.sigma is not None]
    low = min([-USUAL_SIGMA - 1, *sigmas])
    high = max([DEVIANT_SIGMA + 1, *sigmas])
    return int(low // 1), int(-(-high // 1))


def headline(cries: Sequence[DeviationRecord], zone: tzinfo | None = None) -> str:
    """Who, where, how many cries from when to when, and how far its baseline is."""
    first, last = cries[0], cries[-1]
    where = " ".join(part for part in (last.ward, last.bed) if part)
    times = " – ".join(f"{local(c.started_at_ms, zone):%Y-%m-%d %H:%M}" for c in (first, last))
    learned = f"{last.state}, {words.cries(last.baseline_segments)} learned"
    parts = [last.infant, where, words.cries(len(cries)), times, learned]
    return " · ".join(part for part in parts if part)
