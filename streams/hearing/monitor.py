"""One monitor as the scorer follows it: how each second follows those before it."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from streams.hearing.segments import Segmenter

SECOND_MS = 1000
# Monitors' clocks jitter; a quarter of a second is neither a gap nor an overlap.
TOLERANCE_MS = 250
# A second that comes this much late is out of order; older than that, the clock was set back.
CLOCK_JUMP_MS = 60_000
REMEMBERED_SECONDS = 64  # to tell a duplicate from a second that comes late


class Outcome(StrEnum):
    """What became of a chunk: the label of `vagitus_chunks_total`."""

    SCORED = "scored"  # follows the second before it, or begins a run
    GAP = "gap"  # scored; seconds before it are missing
    LATE = "late"  # scored by itself; came after a later second
    CLOCK = "clock"  # scored; the monitor's clock jumped back, a new run begins
    DUPLICATE = "duplicate"  # was scored before
    REREAD = "reread"  # was scored before a restart; rebuilds context only
    REFUSED = "refused"  # went to the dead letters


@dataclass(slots=True)
class Monitor:
    """What is remembered of a monitor while it is heard.

    Attributes:
        partition: of `audio-chunks`, that its chunks lie in.
        segmenter: its open segment, if any.
        offsets: of the chunks that the window is made of.
        window: the last that was scored: float32 [context seconds, features].
        last_ms: capture time of its last second, ms since 1970 UTC; 0 before the first.
        sample_rate_hz: of that second.
        heard_at: when that second came, by the clock that silence is measured in.
        segment_floor: the oldest offset that the open segment needs.
        seen: capture times and sequence numbers, of late.
    """

    partition: int
    segmenter: Segmenter
    offsets: deque[int]
    window: NDArray[np.float32] | None = None
    last_ms: int = 0
    sample_rate_hz: int = 0
    heard_at: float = 0.0
    segment_floor: int | None = None
    seen: deque[tuple[int, int]] = field(
        default_factory=lambda: deque[tuple[int, int]](maxlen=REMEMBERED_SECONDS)
    )

    @property
    def floor(self) -> int | None:
        """The oldest offset that is still needed; None if none is."""
        if self.segment_floor is not None:
            return self.segment_floor
        return self.offsets[0] if self.offsets else None


def follows(captured_at_ms: int, before_ms: int) -> Outcome:
    """How a second follows the last one that was in order (0: there is none)."""
    step = captured_at_ms - before_ms - SECOND_MS
    if not before_ms or abs(step) <= TOLERANCE_MS:
        return Outcome.SCORED
    if step > 0:
        return Outcome.GAP
    return Outcome.LATE if step > -CLOCK_JUMP_MS else Outcome.CLOCK
