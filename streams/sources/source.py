"""What every source of sound is to the rest of the stream."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Protocol

from streams.records.audio_chunk import AudioChunk


class Source(Protocol):
    """Gives seconds of sound, of one monitor or of many.

    A source knows nothing of pace: whoever sends its chunks waits for their capture time, or does
    not.
    """

    def chunks(self) -> Iterator[AudioChunk]:
        """All seconds in the order of their capture time, across monitors.

        A monitor's sequence numbers start at the first capture time in seconds and go up by one a
        chunk, so a restart, which comes later, never uses one again.

        Raises:
            SourceError: no sound can be had; says from where, and what to do.
        """
        ...


def first_sequence(start_ms: int) -> int:
    """Number of the first chunk of a monitor whose first second began at `start_ms`."""
    return start_ms // 1000


def in_capture_order(streams: Iterable[Iterator[AudioChunk]]) -> Iterator[AudioChunk]:
    """Merges streams that are each in order of capture time into one that is."""
    return heapq.merge(*streams, key=lambda chunk: chunk.captured_at_ms)
