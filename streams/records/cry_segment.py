"""`cry-segments`: one cry, from its start to its end. Key: infant. Value: the sound as FLAC."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.errors import Refusal, RefusedMessage
from streams.records.cloudevent import CloudEvent, Headers, format_time, if_known
from streams.records.place import Place
from streams.records.sound import Codec, decode_sound, encode_sound, media_type

TYPE = "vagitus.cry-segment.v1"
MAX_SECONDS = 30  # its scores must fit into one header


def segment_id(monitor: str, started_at_ms: int) -> str:
    """The id of a segment, made of what it is: processed twice, it is the same segment."""
    return f"{monitor}@{format_time(started_at_ms)}"


@dataclass(frozen=True, slots=True)
class CrySegment:
    """One cry.

    Attributes:
        place: whose cry, heard where.
        started_at_ms: when its first second began, ms since 1970 UTC.
        scores: one for each second, 0..1.
        level_dbfs: level of the loudest second, dB of full scale.
        noise_dbfs: level of the room right after the cry; None where sound broke off.
        clipped_fraction: share of samples at full scale, 0..1.
        detector_version: which detector heard it.
        sample_rate_hz: 8000 or 16000.
        flac: the sound.
    """

    place: Place
    started_at_ms: int
    scores: tuple[float, ...]
    level_dbfs: float
    noise_dbfs: float | None
    clipped_fraction: float
    detector_version: str
    sample_rate_hz: int
    flac: bytes

    @property
    def id(self) -> str:
        """Deterministic: monitor and start."""
        return segment_id(self.place.monitor, self.started_at_ms)

    @property
    def seconds(self) -> int:
        """Its length in seconds."""
        return len(self.scores)

    @staticmethod
    def flac_of(waveform: NDArray[np.float32], sample_rate_hz: int) -> bytes:
        """Write the sound (float32 [samples]) as a segment carries it."""
        return encode_sound(waveform, sample_rate_hz, Codec.FLAC)

    def waveform(self) -> NDArray[np.float32]:
        """The sound, float32 [seconds * sample_rate_hz]; raises RefusedMessage if unreadable."""
        most = (MAX_SECONDS + 1) * self.sample_rate_hz
        return decode_sound(self.flac, Codec.FLAC, self.sample_rate_hz, max_samples=most)

    def encode(self) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        """Key, value and headers of the Kafka message."""
        event = CloudEvent(
            id=self.id,
            source=self.place.monitor,
            type=TYPE,
            time_ms=self.started_at_ms,
            content_type=media_type(Codec.FLAC, self.sample_rate_hz),
            extensions={
                **self.place.extensions(),
                "scores": ",".join(f"{score:.4f}" for score in self.scores),
                "level": f"{self.level_dbfs:.1f}",
                **if_known("noise", self.noise_dbfs),
                "clipped": f"{self.clipped_fraction:.4f}",
                "detector": self.detector_version,
            },
        )
        return self.place.key, self.flac, event.headers()

    @classmethod
    def decode(cls, key: bytes | None, value: bytes | None, headers: Headers) -> "CrySegment":
        """Read a segment from a Kafka message; raises RefusedMessage."""
        event = CloudEvent.from_headers(headers)
        if event.type != TYPE:
            raise RefusedMessage(Refusal.ABSURD_HEADER, f"ce_type is not {TYPE}")
        try:
            segment = cls(
                place=Place.from_event(event),
                started_at_ms=event.time_ms,
                scores=tuple(float(score) for score in event.extensions["scores"].split(",")),
                level_dbfs=float(event.extensions["level"]),
                noise_dbfs=event.known_number("noise"),
                clipped_fraction=float(event.extensions["clipped"]),
                detector_version=event.extensions["detector"],
                sample_rate_hz=int(event.content_type.partition(";rate=")[2]),
                flac=bytes(value or b""),
            )
        except (KeyError, ValueError) as error:
            raise RefusedMessage(Refusal.ABSURD_HEADER, f"a segment's header: {error}") from None
        numbers = (segment.level_dbfs, segment.noise_dbfs or 0.0, segment.clipped_fraction)
        if not np.isfinite([*segment.scores, *numbers]).all():
            raise RefusedMessage(Refusal.NON_FINITE, "a segment's header is not finite")
        if segment.seconds > MAX_SECONDS:
            raise RefusedMessage(Refusal.OVER_LONG, f"a segment of {segment.seconds} s")
        return segment
