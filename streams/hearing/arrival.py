"""A chunk as it arrives: decoded, with where it lay."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from aiokafka import ConsumerRecord
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


def decode_arrivals(
    records: Iterable[ConsumerRecord], now_ms: int
) -> tuple[list[Arrival], list[tuple[RefusedMessage, ConsumerRecord]]]:
    """Decode a batch of `audio-chunks`: what was accepted, and what was refused and why."""
    arrivals = []
    refused = []
    for record in records:
        try:
            arrivals.append(
                decode_arrival(
                    record.key,
                    record.value,
                    record.headers,
                    partition=record.partition,
                    offset=record.offset,
                    now_ms=now_ms,
                )
            )
        except RefusedMessage as error:
            refused.append((error, record))
    return arrivals, refused
