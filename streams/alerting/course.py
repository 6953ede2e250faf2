"""For how long an infant has been away from its baseline: the condition of a patient's alert.

A plain state machine over an infant's deviations, in order. It can be rebuilt from the last of
them, which is how a worker takes an infant over.
"""

from collections import deque
from dataclasses import dataclass, field

from models.deviation.gate import Reason
from streams.alerting.notices import DEVIATING, DRIFTING
from streams.alerting.thresholds import THRESHOLDS, Thresholds
from streams.records.deviation import DeviationRecord

# Only with these does a deviation speak of the infant, and not of the sound. An infant whose
# learning staff have paused (its fit cries are refused as such) is watched over all the same.
SPEAKING = frozenset(
    reason.value for reason in Reason if reason.is_own_cry or reason is Reason.PAUSED
)
READY = "ready"
# A crashed worker's successor may say what lies between two commits again.
REMEMBERED = 16


@dataclass(slots=True)
class Course:
    """One infant's last cries.

    Attributes:
        deviant: how many in a row were far from its baseline; once they make an alert, one usual
            cry among them is passed over.
        drifting: for how many in a row its drift has persisted.
        since_ms: by alert, the end of the cry that made it, ms since 1970 UTC.
        last_ms: the end of the last cry.
        last: what was said of it; None before the first.
    """

    thresholds: Thresholds = THRESHOLDS
    deviant: int = 0
    drifting: int = 0
    since_ms: dict[str, int] = field(default_factory=dict)
    last_ms: int = 0
    last: DeviationRecord | None = None
    _usual: int = 0
    _heard: deque[str] = field(default_factory=lambda: deque[str](maxlen=REMEMBERED))

    def hear(self, record: DeviationRecord) -> None:
        """Take the infant's next deviation; one that was taken before changes nothing."""
        if record.segment_id in self._heard:
            return
        self._heard.append(record.segment_id)
        if record.state != READY:  # it learns, perhaps anew: there is nothing to be far from
            self.deviant = self.drifting = self._usual = 0
        elif record.reason in SPEAKING:
            self._count(record)
        self.last = record
        self.last_ms = record.started_at_ms + round(1000 * record.seconds)
        for alert, away in self._away().items():
            if away:
                self.since_ms.setdefault(alert, self.last_ms)
            else:
                self.since_ms.pop(alert, None)

    def _count(self, record: DeviationRecord) -> None:
        limits = self.thresholds
        self.drifting = self.drifting + 1 if record.drifting else 0
        if (
            record.p_value is not None
            and record.sigma is not None
            and record.p_value <= limits.deviant_p_value
            and record.sigma >= limits.deviant_sigma
        ):
            self.deviant += 1
            self._usual = 0
            return
        self._usual += 1
        if self.deviant < limits.deviant_cries or self._usual >= limits.calm_cries:
            self.deviant = 0

    def _away(self) -> dict[str, bool]:
        return {
            DEVIATING: self.deviant >= self.thresholds.deviant_cries,
            DRIFTING: self.drifting >= self.thresholds.drifting_cries,
        }

    def value(self, alert: str) -> int:
        """What the alert's rule would show: so many cries."""
        return {DEVIATING: self.deviant, DRIFTING: self.drifting}[alert]
