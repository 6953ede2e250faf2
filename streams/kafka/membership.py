"""Whether this worker is still one of its group, as far as the broker can know.

A worker that is frozen or cut off from the broker is not told that its partitions have gone to
another one. So it goes by the clock, as the broker does: who sends no heartbeat for the session
timeout is out.
"""

import time

from aiokafka import AIOKafkaConsumer


class Membership:
    """Of one consumer group; renewed with every heartbeat that the broker has answered.

    Args:
        session_seconds: after which the broker gives a silent member's partitions to others.
    """

    def __init__(self, session_seconds: float) -> None:
        self._session_seconds = session_seconds
        self._ends = 0.0

    def lasts(self) -> bool:
        """Whether the broker cannot have given the partitions away yet."""
        return time.monotonic() < self._ends

    def follow(self, consumer: AIOKafkaConsumer) -> None:
        """Begin with the consumer's assignment of this moment, and go on with its heartbeats."""
        self._renew(time.monotonic())
        coordinator = consumer._coordinator
        if getattr(coordinator, "followed", None) is self:
            return
        beat = coordinator._do_heartbeat

        async def beat_and_renew() -> bool:
            # The broker counts from when it hears of it: not before now.
            began = time.monotonic()
            taken = await beat()
            if taken:
                self._renew(began)
            return taken

        coordinator._do_heartbeat, coordinator.followed = beat_and_renew, self

    def _renew(self, began: float) -> None:
        self._ends = max(self._ends, began + self._session_seconds)
