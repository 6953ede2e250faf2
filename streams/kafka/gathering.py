"""How long the broker lets records gather before it answers: the longer, the busier the worker.

Few records at a time cost more each, which matters to a busy worker alone; and each waits, on its
way from a chunk to a deviation three times over.
"""

import time
from collections.abc import Callable

SHORTEST_SECONDS = 0.05  # asked more often, an idle broker and worker would mostly talk
# Of one core, in use: from here on each record's cost matters more than its age.
BUSY = 0.5
MEASURED_SECONDS = 1.0


class Gathering:
    """Follows how much of a core this process uses.

    Args:
        longest_seconds: the wait while it is busy.
        clock, used: seconds that passed, and of CPU that were used.
    """

    def __init__(
        self,
        longest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self._longest = longest_seconds
        self._clock, self._used = clock, used
        self._since = clock(), used()
        self._share = BUSY  # until it is known

    @property
    def seconds(self) -> float:
        """The wait now."""
        now, used = self._clock(), self._used()
        passed = now - self._since[0]
        if passed >= MEASURED_SECONDS:
            self._share = (used - self._since[1]) / passed
            self._since = now, used
        wait = self._longest * min(1.0, self._share / BUSY)
        return min(self._longest, max(SHORTEST_SECONDS, wait))
