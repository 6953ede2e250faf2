"""What staff asks of a baseline: on `cry-embeddings`, among the cries. Key: infant.

It lies in the log that baselines are made from, so that its order among the cries is one and the
same for whoever reads it: the worker of today, its successor after a crash, and a rebuild.
"""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from streams.errors import Refusal, RefusedMessage
from streams.records.cloudevent import CloudEvent, Headers
from streams.records.jsons import JsonRecord
from streams.timeline.acts import Act, ActKind

TYPE = "vagitus.baseline-act.v1"
CONTENT_TYPE = "application/json"
SOURCE = "staff"
BASELINE_ACTS = (
    ActKind.BASELINE_RESET,
    ActKind.LEARNING_PAUSED,
    ActKind.LEARNING_RESUMED,
    ActKind.BASELINE_ROLLED_BACK,
    ActKind.BASELINE_REBUILT,
)
# As an admission's names: `records/admission.py`.
_INFANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
MAX_WHO, MAX_WHY = 128, 1000


@dataclass(frozen=True, slots=True)
class BaselineAct(JsonRecord):
    """One act.

    Attributes:
        id: of this act alone: a worker carries it out once.
        infant: whose baseline.
        what: one of `BASELINE_ACTS`.
        at_ms: when staff did it, ms since 1970 UTC.
        who: whoever did it, by a pseudonym or a role.
        why: in their own words; may be empty.
        segments: of a roll-back: the cries that shall never have been learned. Named one by one,
            so that what staff saw is what is undone, whatever was learned in between.

    Raises:
        RefusedMessage: a field is of another type, empty, over-long or not printable.
    """

    id: str
    infant: str
    what: str
    at_ms: int
    who: str
    why: str = ""
    segments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.infant, str) or not _INFANT.fullmatch(self.infant):
            raise RefusedMessage(
                Refusal.ABSURD_HEADER,
                f"infant {str(self.infant)[:40]!r} is not 1 to 128 of A-Z a-z 0-9 . _ : / -",
            )
        if self.what not in BASELINE_ACTS:
            raise RefusedMessage(Refusal.ABSURD_HEADER, f"no such act: {str(self.what)[:40]!r}")
        if not isinstance(self.at_ms, int):
            raise RefusedMessage(Refusal.ABSURD_HEADER, "at_ms is not a whole number")
        for name, least, most in (("id", 1, 128), ("who", 1, MAX_WHO), ("why", 0, MAX_WHY)):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.isprintable():
                raise RefusedMessage(Refusal.ABSURD_HEADER, f"{name} is not one line of text")
            if not least <= len(text) <= most:
                raise RefusedMessage(
                    Refusal.OVER_LONG, f"{name} is not of {least} to {most} characters"
                )
        segments = self.segments
        if not isinstance(segments, list | tuple) or not all(isinstance(s, str) for s in segments):
            raise RefusedMessage(Refusal.ABSURD_HEADER, "segments is not a list of ids")
        object.__setattr__(self, "segments", tuple(segments))
        if bool(segments) != (self.what == ActKind.BASELINE_ROLLED_BACK):
            raise RefusedMessage(Refusal.ABSURD_HEADER, "only a roll-back names segments")

    @classmethod
    def now(
        cls, what: ActKind, infant: str, who: str, why: str = "", segments: tuple[str, ...] = ()
    ) -> "BaselineAct":
        """An act that is done now; raises RefusedMessage."""
        now_ms = int(time.time() * 1000)
        return cls(str(uuid.uuid4()), infant, what.value, now_ms, who, why, segments)

    @property
    def key(self) -> bytes:
        """The Kafka key: as that of the infant's cries."""
        return self.infant.encode()

    def encode(self) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        """Key, value and headers of the Kafka message."""
        event = CloudEvent(self.id, SOURCE, TYPE, self.at_ms, CONTENT_TYPE)
        return self.key, self.to_json(), event.headers()

    @classmethod
    def decode(cls, key: bytes | None, value: bytes | None, headers: Headers) -> "BaselineAct":
        """Read an act from a Kafka message; raises RefusedMessage."""
        if CloudEvent.from_headers(headers).type != TYPE:
            raise RefusedMessage(Refusal.ABSURD_HEADER, f"ce_type is not {TYPE}")
        act = cls.from_json(value)
        if key != act.key:
            raise RefusedMessage(Refusal.ABSURD_HEADER, "the key is not the act's infant")
        return act

    def told(self, outcome: str) -> Act:
        """The act as it stands on the timeline."""
        return Act(
            id=self.id,
            infant=self.infant,
            ward="",
            bed="",
            at_ms=self.at_ms,
            until_ms=None,
            who=self.who,
            what=self.what,
            remark=self.why,
            outcome=outcome,
        )


def is_act(headers: Headers) -> bool:
    """Whether a message of `cry-embeddings` is an act and not a cry."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return ("ce_type", TYPE.encode()) in pairs
