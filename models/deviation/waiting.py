"""Cries that are held back: learnt from once the infant cries as usual again, or never.

One usual cry in seven is odd, and a baseline that never learnt from these would take ever more for
odd and lock itself out. One that learns from all of them makes a changed voice usual within six
cries. What tells the two apart is what follows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# So many usual cries in a row after an odd one say that it was chance. With one, a changed voice is
# learnt in three wards of fourteen before it is told of; with three, a growing infant's odd cries
# come faster than they are let in (docs/deviation/log.md).
USUAL_AFTER_ODD = 2
# A deviant one needs more, and another odd one among them has it forgotten: with two, a neighbour
# who is heard now and then is learnt; with none ever let in, an infant that cries in two ways is
# never known.
USUAL_AFTER_DEVIANT = 6
# So many in a row are no chance any more but what is to be told of, or a neighbour's fit of crying:
# nothing is learnt from any of them.
LONGEST_RUN = 4
# Every second cry of a changed voice may be odd: then the oldest are let go.
MOST_WAITING = 8


@dataclass(frozen=True)
class Cry:
    """A cry that was scored: what learning from it later takes.

    embedding float32 [size]; score: raw, as it was when the cry came; None: not to calibrate with.
    """

    segment_id: str
    started_at_ms: int
    embedding: NDArray[np.float32]
    score: float | None


@dataclass(frozen=True)
class _Held:
    cry: Cry
    deviant: bool
    followed: int = 0


class Waiting:
    """The cries of one infant that wait, oldest first."""

    def __init__(self) -> None:
        self._held: deque[_Held] = deque(maxlen=MOST_WAITING)
        self._run = 0

    def __len__(self) -> int:
        return len(self._held)

    def strange(self, cry: Cry | None, deviant: bool = True) -> None:
        """An odd or deviant cry has come, which is to wait; None: one that nobody may learn."""
        self._run += 1
        held = [replace(one, followed=0) for one in self._held if not one.deviant]
        if cry is not None:
            held.append(_Held(cry, deviant))
        self._held = deque(held if self._run < LONGEST_RUN else (), maxlen=MOST_WAITING)

    def usual(self) -> list[Cry]:
        """A usual cry has come: returns those that may be learnt from now."""
        self._run = 0
        followed = [replace(one, followed=one.followed + 1) for one in self._held]
        free = [one.cry for one in followed if one.followed >= _needed(one)]
        still = (one for one in followed if one.followed < _needed(one))
        self._held = deque(still, maxlen=MOST_WAITING)
        return free

    def names(self) -> list[str]:
        """The segments that wait."""
        return [one.cry.segment_id for one in self._held]

    def to_arrays(self, size: int) -> dict[str, NDArray[Any]]:
        """All but the names, for `from_arrays`; embeddings have this size."""
        cries = [one.cry for one in self._held]
        return {
            "embeddings": np.array([c.embedding for c in cries], np.float32).reshape(-1, size),
            "scores": np.array([c.score for c in cries], np.float64),
            "started_at_ms": np.array([c.started_at_ms for c in cries], np.int64),
            "deviant": np.array([one.deviant for one in self._held], np.int64),
            "followed": np.array([one.followed for one in self._held], np.int64),
            "run": np.array([self._run], np.int64),
        }

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]], names: Sequence[str]) -> None:
        """Replace what waits by what `to_arrays` and `names` gave; ValueError if they disagree."""
        columns = (arrays[name] for name in ("embeddings", "scores", "started_at_ms"))
        counts = zip(arrays["deviant"], arrays["followed"], strict=True)
        self._held = deque(maxlen=MOST_WAITING)
        for name, embedding, score, at_ms, (deviant, followed) in zip(
            names, *columns, counts, strict=True
        ):
            cry = Cry(name, int(at_ms), np.array(embedding, np.float32), float(score))
            self._held.append(_Held(cry, bool(deviant), int(followed)))
        self._run = int(arrays["run"][0])


def _needed(one: _Held) -> int:
    return USUAL_AFTER_DEVIANT if one.deviant else USUAL_AFTER_ODD
