"""Series of the same labels appear and leave together: those of an admission that is owned."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from prometheus_client import Gauge

from streams.metrics.series import OwnedCounter, OwnedGauge
from streams.records.admission import Admission

SOUNDS = ("usable", "clipped", "quiet")


class Share(StrEnum):
    """What a worker owns partitions of, and speaks of the infants or monitors in them for."""

    SOUND = "sound"
    """Of `audio-chunks`, by monitor: monitors, and whether their infants cry."""
    BASELINES = "baselines"
    """Of `cry-embeddings`, by infant: baselines."""
    COURSES = "courses"
    """Of `deviations`, by infant: the last cries."""


@dataclass(slots=True)
class Group:
    """Series of the same labels, which appear and leave together.

    Attributes:
        share: whose owner shows them.
        names: of the labels that say whose they are.
        series: all of them.
        begin: shows what is true before anything is heard; told whether the series are new.
        admitted: by labels the admissions that have them, by monitor (for a moment there are two).
        shown: by labels, the admission that they are shown for.
    """

    share: Share
    names: tuple[str, ...]
    series: tuple[OwnedGauge | OwnedCounter, ...]
    begin: Callable[[Admission, bool], None] = lambda admission, new: None
    admitted: dict[tuple[str, ...], dict[str, Admission]] = field(default_factory=dict)
    shown: dict[tuple[str, ...], Admission] = field(default_factory=dict)

    def labels(self, admission: Admission) -> tuple[str, ...]:
        """The values of an admission's labels."""
        return tuple(getattr(admission, name) for name in self.names)

    def settle(self, labels: tuple[str, ...], owned: Callable[[Admission], bool]) -> None:
        """Show the series of these labels, if they are of an admission that is owned."""
        due = [one for one in self.admitted.get(labels, {}).values() if owned(one)]
        before = self.shown.pop(labels, None)
        if due:
            self.shown[labels] = due[-1]
            if before != due[-1]:
                self.begin(due[-1], before is None)
        elif before is not None:
            for series in self.series:
                hide(series, labels)


def hide(series: Gauge | OwnedCounter, labels: tuple[str, ...]) -> None:
    """Show a series of these labels no more."""
    for sound in [[one] for one in SOUNDS] if "sound" in series._labelnames else [[]]:
        series.remove(*labels, *sound)
