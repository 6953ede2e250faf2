"""What may be committed: never more than what everybody has done with.

`Acknowledged` holds for every topic: a commit ends before the first record that was not dealt
with, whatever was dealt with after it.

Of `audio-chunks` less is committed. Two numbers describe how far a partition has come: chunks
before `published` have their scores published, chunks from `floor` on are still needed (as
context, or in an open segment). The offset that is committed is the floor; `published` travels in
the commit's metadata.
"""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from faust.types import TP


class Acknowledged:
    """Which records of each partition were dealt with since its owner began with it."""

    def __init__(self) -> None:
        self._next: dict[TP, int] = {}
        self._later: dict[TP, set[int]] = {}
        self._committed: dict[TP, int] = {}

    def begin(self, tp: TP, offset: int) -> None:
        """A partition is read (again) from an offset; nothing from there on was dealt with."""
        self._next[tp] = self._committed[tp] = offset
        self._later[tp] = set()

    def again(self, tp: TP) -> int | None:
        """Where to read again what may have been lost on its way; None where nothing began.

        What was dealt with after it comes again, so it is forgotten here.
        """
        if tp in self._later:
            self._later[tp].clear()
        return self._next.get(tp)

    def done(self, tp: TP, offsets: Iterable[int]) -> None:
        """Records were dealt with, or do not exist."""
        if tp not in self._next:
            return
        first, later = self._next[tp], self._later[tp]
        later.update(offset for offset in offsets if offset >= first)
        while first in later:
            later.remove(first)
            first += 1
        self._next[tp] = first

    def committable(self) -> dict[TP, int]:
        """Up to where each partition can be committed further than it is."""
        return {tp: offset for tp, offset in self._next.items() if offset > self._committed[tp]}

    def committed(self, offsets: Mapping[TP, int]) -> None:
        """The broker has taken these."""
        self._committed.update((tp, o) for tp, o in offsets.items() if tp in self._next)

    def forget(self, tp: TP) -> None:
        """A partition belongs to somebody else now."""
        for kept in (self._next, self._later, self._committed):
            kept.pop(tp, None)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition had come when it was committed."""

    floor: int
    published: int

    @property
    def metadata(self) -> str:
        """What is stored beside the committed offset."""
        return f"published={self.published}"

    @classmethod
    def resume(cls, committed: int, metadata: str) -> "Progress":
        """Read a commit back; without metadata nothing was held back."""
        name, _, value = metadata.partition("=")
        published = int(value) if name == "published" and value.isdigit() else committed
        return cls(committed, max(committed, published))


class HeldOffsets:
    """The floors of the partitions a worker owns.

    A commit is computed for the offset up to which Faust has seen acknowledgements, which may
    lie behind what the scorer has done since. So the floor is remembered for each batch, and a
    commit uses the floor of the last batch that lies wholly before it.

    Attributes:
        received_at: when a chunk was last handed on, seconds since 1970; 0 until one is.
        committed_at: when the broker last took a commit of chunks; 0 until it does.
    """

    def __init__(self) -> None:
        self._floors: dict[int, deque[tuple[int, int]]] = {}
        self._published: dict[int, int] = {}
        self._resumed: dict[int, Progress] = {}
        self._revoked: set[int] = set()
        self._first: dict[int, int | None] = {}
        self.stopped = False
        self.received_at = 0.0
        self.committed_at = 0.0

    def resume(self, partition: int, progress: Progress) -> None:
        """A partition is read (again) from its committed offset."""
        self._floors[partition] = deque([(progress.floor, progress.floor)])
        self._published[partition] = progress.published
        self._resumed[partition] = progress
        self._first[partition] = None
        self._revoked.discard(partition)

    def began(self, partition: int, offset: int) -> None:
        """A chunk was handed on, perhaps the first after a resumption."""
        self.received_at = time.time()
        if self._first.get(partition, offset) is None:
            self._first[partition] = offset

    def first(self, partition: int) -> int | None:
        """Offset of the first chunk after the last resumption; None until it was handed on.

        Chunks that were handed on before it and are still under way belong to no known context.
        """
        return self._first.get(partition)

    def committed(self) -> None:
        """The broker has taken a commit of chunks."""
        self.committed_at = time.time()

    def revoke(self, partition: int) -> None:
        """A partition belongs to somebody else now."""
        for kept in (self._floors, self._published, self._resumed, self._first):
            kept.pop(partition, None)
        self._revoked.add(partition)

    @property
    def owned(self) -> int:
        """How many partitions are owned."""
        return len(self._published)

    def revoked(self) -> set[int]:
        """The partitions that were revoked since the last call: what is known of them is moot."""
        revoked, self._revoked = self._revoked, set()
        return revoked

    def resumed(self) -> dict[int, Progress]:
        """The partitions that were resumed since the last call: their owner begins them anew."""
        resumed, self._resumed = self._resumed, {}
        return resumed

    def hold(self, partition: int, processed: int, floor: int) -> None:
        """All chunks before `processed` are done with, but for those from `floor` on."""
        self._floors.setdefault(partition, deque()).append((processed, floor))

    def stop_commits(self) -> None:
        """Commit nothing more: something was lost in this process, another one must redo it."""
        self.stopped = True

    def progress(self, partition: int, acknowledged: int) -> Progress:
        """What to commit when all chunks before `acknowledged` were acknowledged.

        Never beyond what was held: an acknowledgement may come of a chunk that was passed over.
        """
        floors = self._floors.get(partition, deque())
        while len(floors) > 1 and floors[1][0] <= acknowledged:
            floors.popleft()
        acknowledged = min(acknowledged, floors[-1][0]) if floors else acknowledged
        floor = floors[0][1] if floors else acknowledged
        published = max(acknowledged, self._published.get(partition, 0))
        return Progress(min(acknowledged, floor), published)
