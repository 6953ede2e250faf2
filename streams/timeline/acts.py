"""Acts of staff: what people did, on the same timeline as the cries."""

import time
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from streams.records.jsons import JsonRecord

if TYPE_CHECKING:
    from streams.timeline.store import TimelineStore


class ActKind(StrEnum):
    """What was done."""

    BASELINE_RESET = "baseline_reset"
    """The infant's model begins anew."""
    LEARNING_PAUSED = "learning_paused"
    """The infant's model is frozen: it scores, and learns nothing."""
    LEARNING_RESUMED = "learning_resumed"
    BASELINE_ROLLED_BACK = "baseline_rolled_back"
    """The last accepted cries were taken out again."""
    BASELINE_REBUILT = "baseline_rebuilt"
    """The infant's model was made anew from the embeddings of its cries."""
    ALERTS_SILENCED = "alerts_silenced"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    """Somebody has seen it; it is not said again for a time."""
    SILENCE_LIFTED = "silence_lifted"
    """Before its time."""
    QUIET_HOURS_SET = "quiet_hours_set"
    """From now on the ward is not told of lesser alerts at these hours of each day."""
    QUIET_HOURS_REMOVED = "quiet_hours_removed"


@dataclass(frozen=True, slots=True)
class Act(JsonRecord):
    """One act.

    Attributes:
        id: the same act written twice is one row.
        infant: whom it concerned; empty if a whole ward or bed.
        ward: where; empty if only the infant is meant.
        bed: where; empty if only the infant or the ward is meant.
        at_ms: when it was done, ms since 1970 UTC.
        until_ms: when what it began ends by itself; None if it does not.
        who: whoever did it, by a name or a role.
        what: one of `ActKind`.
        remark: why, in their own words.
        outcome: what came of it, where a worker had to carry it out; None where nobody had to.
    """

    id: str
    infant: str
    ward: str
    bed: str
    at_ms: int
    until_ms: int | None
    who: str
    what: str
    remark: str
    outcome: str | None = None


def record_act(
    store: "TimelineStore",
    what: ActKind,
    who: str,
    infant: str = "",
    remark: str = "",
    *,
    ward: str = "",
    bed: str = "",
    at_ms: int | None = None,
    until_ms: int | None = None,
) -> Act:
    """Put an act of staff on the timeline, by default as done now; returns what was written.

    Raises:
        TimelineError: the store cannot be reached: the act is not on the timeline.
        RefusedMessage: a text cannot be stored.
    """
    act = Act(
        id=str(uuid.uuid4()),
        infant=infant,
        ward=ward,
        bed=bed,
        at_ms=int(time.time() * 1000) if at_ms is None else at_ms,
        until_ms=until_ms,
        who=who,
        what=what.value,
        remark=remark,
    )
    store.write([act])
    return act
