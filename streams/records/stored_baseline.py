"""One row of the table `baselines`: an infant's model, and what became of its cries. Key: infant.

The table's changelog is compacted, so that it also tells a reader outside of any worker.
"""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

# Ids are for the embeddings that were sent twice, one soon after the other; what is read twice is
# known by its offset.
REMEMBERED = 64
# Accepted cries that are known by name, and so can be rolled back: some 7 kB. As many as the
# adaptive reference remembers (`detectors.gaussian.MEMORY_CRIES`).
NAMED_CRIES = 96


@dataclass(frozen=True, slots=True)
class Pause:
    """Learning is paused by staff.

    Attributes:
        act: the id of the act that did it.
        since_ms: when, ms since 1970 UTC.
        who: whoever did it.
        why: in their own words.
    """

    act: str
    since_ms: int
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class StoredBaseline:
    """What is remembered of an infant.

    Attributes:
        applied: ids of the last segments and acts, so that none is applied twice.
        reached: the offset in the log of the last one, and the latest time (ms since 1970 UTC) that
            any of them was sent: what is not beyond either was applied. (A topic that was made anew
            counts from 0 again, but its records are younger.)
        model: `Baseline.to_bytes()`; empty before the first cry.
        learned: the last cries learned from, in that order: id, and when it began (ms since 1970
            UTC).
        decisions: how many cries met each reason of the gate since the baseline began.
        taken_out: how many cries staff has taken out since then.
        pause: why nothing is learned at present; None while learning goes on.
    """

    applied: tuple[str, ...] = ()
    model: bytes = b""
    learned: tuple[tuple[str, int], ...] = ()
    decisions: dict[str, int] = field(default_factory=dict)
    taken_out: int = 0
    pause: Pause | None = None
    reached: tuple[int, int] = (-1, 0)

    @property
    def heard(self) -> int:
        """How many cries there were since the baseline began."""
        return sum(self.decisions.values()) + self.taken_out

    def has_passed(self, offset: int, sent_ms: int) -> bool:
        """Whether the log was applied up to a record and beyond."""
        return offset <= self.reached[0] and sent_ms <= self.reached[1]

    def having_reached(self, offset: int, sent_ms: int) -> "StoredBaseline":
        """The same, applied up to a record."""
        return dataclasses.replace(self, reached=(offset, max(sent_ms, self.reached[1])))

    def having_applied(self, name: str) -> "StoredBaseline":
        """The same, with one more segment or act done."""
        return dataclasses.replace(self, applied=(*self.applied, name)[-REMEMBERED:])

    def having_heard(
        self, reason: str, learned: Iterable[tuple[str, int]], *, begun: bool
    ) -> "StoredBaseline":
        """The same, with one more cry: which were learned now, and whether learning began anew."""
        learned = (*(() if begun else self.learned), *learned)[-NAMED_CRIES:]
        decisions = {**self.decisions, reason: self.decisions.get(reason, 0) + 1}
        return dataclasses.replace(self, learned=learned, decisions=decisions)

    def begun_anew(self) -> "StoredBaseline":
        """Nothing heard, nothing learned; what was applied and whether learning is paused stay."""
        return StoredBaseline(applied=self.applied, pause=self.pause, reached=self.reached)

    def encode(self) -> bytes:
        """The row's value: one line of JSON, then the arrays."""
        facts = {
            "applied": self.applied,
            "learned": self.learned,
            "decisions": self.decisions,
            "taken_out": self.taken_out,
            "pause": self.pause and dataclasses.asdict(self.pause),
            "reached": self.reached,
        }
        return json.dumps(facts, separators=(",", ":")).encode() + b"\n" + self.model

    @classmethod
    def decode(cls, value: bytes | None) -> "StoredBaseline":
        """Read a row's value back; None is a row that does not exist yet."""
        if value is None:
            return cls()
        line, _, model = value.partition(b"\n")
        facts = json.loads(line)
        if isinstance(facts, list):  # before acts there were only the segments applied
            return cls(tuple(facts), model)
        return cls(
            applied=tuple(facts["applied"]),
            model=model,
            learned=tuple((name, at_ms) for name, at_ms in facts["learned"]),
            decisions=facts["decisions"],
            taken_out=facts["taken_out"],
            pause=Pause(**facts["pause"]) if facts["pause"] else None,
            reached=tuple(facts["reached"]),
        )
