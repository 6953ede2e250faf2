"""`cry-embeddings`: a cry without its sound; what baselines are rebuilt from. Key: infant."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.errors import Refusal, RefusedMessage
from streams.records.cloudevent import CloudEvent, Headers, if_known
from streams.records.place import Place

TYPE = "vagitus.cry-embedding.v1"
CONTENT_TYPE = "application/vnd.vagitus.embedding;dtype=float32le"
DIMENSIONS = 192


@dataclass(frozen=True, slots=True, eq=False)
class CryEmbedding:
    """What is kept of a cry.

    Attributes:
        segment_id: the cry.
        place: whose cry, heard where.
        started_at_ms: when it began, ms since 1970 UTC.
        seconds: how long it lasted.
        cry_score: mean of its seconds' scores, 0..1.
        level_dbfs: level of the loudest second, dB of full scale.
        noise_dbfs: level of the room right after the cry; None where that is not known.
        clipped_fraction: share of samples at full scale, 0..1.
        embedder_version: which embedder made it.
        embedding: float32 [192], L2-normalized.
    """

    segment_id: str
    place: Place
    started_at_ms: int
    seconds: float
    cry_score: float
    level_dbfs: float
    noise_dbfs: float | None
    clipped_fraction: float
    embedder_version: str
    embedding: NDArray[np.float32]

    def encode(self) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        """Key, value and headers of the Kafka message."""
        event = CloudEvent(
            id=self.segment_id,
            source=self.place.monitor,
            type=TYPE,
            time_ms=self.started_at_ms,
            content_type=CONTENT_TYPE,
            extensions={
                **self.place.extensions(),
                "seconds": f"{self.seconds:g}",
                "score": f"{self.cry_score:.4f}",
                "level": f"{self.level_dbfs:.1f}",
                **if_known("noise", self.noise_dbfs),
                "clipped": f"{self.clipped_fraction:.4f}",
                "embedder": self.embedder_version,
            },
        )
        return self.place.key, self.embedding.astype("<f4").tobytes(), event.headers()

    @classmethod
    def decode(cls, key: bytes | None, value: bytes | None, headers: Headers) -> "CryEmbedding":
        """Read an embedding from a Kafka message; raises RefusedMessage."""
        event = CloudEvent.from_headers(headers)
        if event.type != TYPE:
            raise RefusedMessage(Refusal.ABSURD_HEADER, f"ce_type is not {TYPE}")
        if len(value or b"") != 4 * DIMENSIONS:
            raise RefusedMessage(Refusal.WRONG_LENGTH, f"not {DIMENSIONS} float32")
        embedding = np.frombuffer(value or b"", dtype="<f4").astype(np.float32)
        try:
            numbers = {
                name: float(event.extensions[name])
                for name in ("seconds", "score", "level", "clipped")
            }
            noise = event.known_number("noise")
            embedder = event.extensions["embedder"]
        except (KeyError, ValueError) as error:
            raise RefusedMessage(Refusal.ABSURD_HEADER, f"an embedding's header: {error}") from None
        if not np.isfinite([*numbers.values(), noise or 0.0, *embedding]).all():
            raise RefusedMessage(Refusal.NON_FINITE, "an embedding's value is not finite")
        return cls(
            segment_id=event.id,
            place=Place.from_event(event),
            started_at_ms=event.time_ms,
            seconds=numbers["seconds"],
            cry_score=numbers["score"],
            level_dbfs=numbers["level"],
            noise_dbfs=noise,
            clipped_fraction=numbers["clipped"],
            embedder_version=embedder,
            embedding=embedding,
        )
