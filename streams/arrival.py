"""A chunk as it arrives: decoded, with where it lay."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.errors import Refusal, RefusedMessage
from streams.records.audio_chunk import AudioChunk


@dataclass(frozen=True, slots=True)
class Arrival:
    """A chunk that was accepted, with where it lay: `offset` in `partition`."""

    chunk: AudioChunk
    waveform: NDArray[np.float32]
    partition: int
    offset: int


def decode_arrival(
    key: bytes | None,
    value: bytes | None,
    headers: object,
    *,
    partition: int,
    offset: int,
    now_ms: int | None,
) -> Arrival:
    """Decode one message of `audio-chunks`; raises RefusedMessage, and nothing else."""
    try:
        chunk = AudioChunk.decode(key, value, headers, now_ms)  # type: ignore[arg-type]
        return Arrival(chunk, chunk.waveform(), partition, offset)
    except RefusedMessage:
        raise
    except Exception as error:  # a decoder's own fault must not stop the stream either
        raise RefusedMessage(Refusal.UNREADABLE, f"{type(error).__name__}: {error}") from error
