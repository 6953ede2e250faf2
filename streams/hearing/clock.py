"""Time as a monitor's silence is measured in: only while somebody listens."""

import time

# A second between two looks is usual; what is longer, the worker was frozen or held up.
LONGEST_STEP_SECONDS = 2.0


class ListeningClock:
    """Seconds for which this worker was awake and reading.

    A monitor must not be called silent because the worker itself was frozen, or waited for a
    rebalance: its chunks lie on the broker, yet to be read.
    """

    def __init__(self) -> None:
        self._looked_at = time.monotonic()
        self.seconds = 0.0

    def look(self, listening: bool, at: float | None = None) -> float:
        """The seconds up to now; call it about every second.

        Args:
            listening: whether the time since the last look counts.
            at: the time of day, of `time.monotonic`; None: now.
        """
        at = time.monotonic() if at is None else at
        step, self._looked_at = at - self._looked_at, at
        if listening:
            self.seconds += min(step, LONGEST_STEP_SECONDS)
        return self.seconds
