"""`audio-chunks`: one second of sound of one monitor. Key: monitor. Value: the sound itself."""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from streams.errors import Refusal, RefusedMessage
from streams.records.cloudevent import CloudEvent, Headers
from streams.records.sound import CODECS, Codec, decode_sound, encode_sound, media_type

TYPE = "vagitus.audio-chunk.v1"
SAMPLE_RATES_HZ = (8000, 16000)
# A second of 16 kHz PCM is 32 kB; FLAC of white noise comes near it, Opus never.
MAX_PAYLOAD_BYTES = 40_000
# Opus pads to its 20 ms frame, and monitors' clocks are not exactly 16 kHz.
LENGTH_TOLERANCE = 0.02
_MONITOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
MAX_SEQUENCE = 2**53  # what every JSON reader can still count exactly


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """One second of sound.

    Attributes:
        monitor: the bedside monitor's name, 1 to 128 of `A-Z a-z 0-9 . _ : / -`.
        sequence: counts the monitor's chunks; never used twice by one monitor.
        captured_at_ms: when the second began, by the monitor's clock, ms since 1970 UTC.
        sample_rate_hz: 8000 or 16000.
        codec: how `payload` is written.
        payload: the sound, mono.
    """

    monitor: str
    sequence: int
    captured_at_ms: int
    sample_rate_hz: int
    codec: Codec
    payload: bytes

    @classmethod
    def from_waveform(
        cls,
        *,
        monitor: str,
        sequence: int,
        captured_at_ms: int,
        waveform: NDArray[np.float32],
        sample_rate_hz: int,
        codec: Codec = Codec.PCM,
    ) -> "AudioChunk":
        """A chunk of `waveform` (float32 [sample_rate_hz], -1..1)."""
        return cls(
            monitor=monitor,
            sequence=sequence,
            captured_at_ms=captured_at_ms,
            sample_rate_hz=sample_rate_hz,
            codec=Codec(codec),
            payload=encode_sound(waveform, sample_rate_hz, Codec(codec)),
        )

    def waveform(self) -> NDArray[np.float32]:
        """The sound, float32 [sample_rate_hz] in -1..1.

        Raises:
            RefusedMessage: it cannot be decoded, or is not one second long.
        """
        samples = decode_sound(
            self.payload, self.codec, self.sample_rate_hz, max_samples=2 * self.sample_rate_hz
        )
        wanted = self.sample_rate_hz
        if abs(len(samples) - wanted) > LENGTH_TOLERANCE * wanted:
            raise RefusedMessage(
                Refusal.WRONG_LENGTH,
                f"{len(samples)} samples where a second has {wanted}: send 1 s a chunk",
            )
        if len(samples) < wanted:
            samples = np.pad(samples, (0, wanted - len(samples)))
        return samples[:wanted]

    def encode(self) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        """Key, value and headers of the Kafka message."""
        event = CloudEvent(
            id=str(self.sequence),
            source=self.monitor,
            type=TYPE,
            time_ms=self.captured_at_ms,
            content_type=media_type(self.codec, self.sample_rate_hz),
        )
        return self.monitor.encode(), self.payload, event.headers()

    @classmethod
    def decode(
        cls, key: bytes | None, value: bytes | None, headers: Headers, now_ms: int | None = None
    ) -> "AudioChunk":
        """Read a chunk from a Kafka message; `now_ms` turns on the check for clocks ahead.

        Raises:
            RefusedMessage: anything about the message is not as it must be. The sound itself
                is only looked at by `waveform`.
        """
        event = CloudEvent.from_headers(headers, now_ms)
        if event.type != TYPE:
            raise RefusedMessage(Refusal.ABSURD_HEADER, f"ce_type is not {TYPE}")
        if not _MONITOR.fullmatch(event.source):
            raise RefusedMessage(Refusal.ABSURD_HEADER, "ce_source is not a monitor's name")
        # Partitions follow the key: a key that is not the monitor would tear its seconds apart.
        if key != event.source.encode():
            raise RefusedMessage(Refusal.ABSURD_HEADER, "the key is not the ce_source")
        if not (event.id.isascii() and event.id.isdigit() and int(event.id) <= MAX_SEQUENCE):
            raise RefusedMessage(Refusal.ABSURD_HEADER, "ce_id is not a sequence number")
        codec, sample_rate_hz = _sound_format(event.content_type)
        if not value:
            raise RefusedMessage(Refusal.WRONG_LENGTH, "the chunk is empty")
        if len(value) > MAX_PAYLOAD_BYTES:
            raise RefusedMessage(
                Refusal.OVER_LONG, f"{len(value)} bytes are more than a second can be"
            )
        return cls(
            monitor=event.source,
            sequence=int(event.id),
            captured_at_ms=event.time_ms,
            sample_rate_hz=sample_rate_hz,
            codec=codec,
            payload=bytes(value),
        )


@lru_cache(maxsize=64)  # a ward's monitors send a few kinds
def _sound_format(content_type: str) -> tuple[Codec, int]:
    media, *parameters = (part.strip() for part in content_type.split(";"))
    codec = CODECS.get(media)
    if codec is None:
        raise RefusedMessage(
            Refusal.UNKNOWN_CODEC,
            f"content-type {media!r} is not one of {', '.join(sorted(CODECS))}",
        )
    rates = [p.removeprefix("rate=") for p in parameters if p.startswith("rate=")]
    if not rates:
        raise RefusedMessage(Refusal.MISSING_HEADER, "content-type has no rate, e.g. `;rate=16000`")
    if rates[0] not in {str(rate) for rate in SAMPLE_RATES_HZ}:
        raise RefusedMessage(Refusal.ABSURD_HEADER, "the sample rate is neither 8000 nor 16000 Hz")
    return codec, int(rates[0])
