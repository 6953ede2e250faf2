"""Sound inside a record: PCM s16le, FLAC, Ogg Opus, to and from float32 in -1..1."""

import io
from enum import StrEnum

import numpy as np
import soundfile
from numpy.typing import NDArray

from streams.errors import Refusal, RefusedMessage

PCM_FULL_SCALE = 32768.0


class Codec(StrEnum):
    """How a second of sound is written."""

    PCM = "pcm"
    FLAC = "flac"
    OPUS = "opus"


# RFC 2586's audio/L16 is big-endian; monitors send little-endian, hence a name of its own.
MEDIA_TYPES = {Codec.PCM: "audio/pcm-s16le", Codec.FLAC: "audio/flac", Codec.OPUS: "audio/ogg"}
CODECS = {media: codec for codec, media in MEDIA_TYPES.items()}


def media_type(codec: Codec, sample_rate_hz: int) -> str:
    """The content type of a record's sound, e.g. `audio/flac;rate=16000`."""
    return f"{MEDIA_TYPES[codec]};rate={sample_rate_hz}"


def encode_sound(waveform: NDArray[np.float32], sample_rate_hz: int, codec: Codec) -> bytes:
    """Write a mono waveform (float32 [samples], clipped to -1..1)."""
    pcm = np.clip(np.rint(waveform * PCM_FULL_SCALE), -32768, 32767).astype("<i2")
    if codec is Codec.PCM:
        return pcm.tobytes()
    sink = io.BytesIO()
    container, subtype = ("FLAC", "PCM_16") if codec is Codec.FLAC else ("OGG", "OPUS")
    soundfile.write(sink, pcm, sample_rate_hz, format=container, subtype=subtype)
    return sink.getvalue()


def decode_sound(
    payload: bytes, codec: Codec, sample_rate_hz: int, max_samples: int
) -> NDArray[np.float32]:
    """Read a mono waveform: float32 [samples], at most `max_samples` of them.

    Raises:
        RefusedMessage: the bytes are not that codec, not mono, not at that rate, or too long.
    """
    if codec is Codec.PCM:
        if len(payload) % 2:
            raise RefusedMessage(Refusal.WRONG_LENGTH, "PCM s16le has an even number of bytes")
        pcm = np.frombuffer(payload[: 2 * (max_samples + 1)], dtype="<i2")
        samples = np.multiply(pcm, np.float32(1 / PCM_FULL_SCALE), dtype=np.float32)
    else:
        samples = _decode_compressed(payload, codec, sample_rate_hz, max_samples)
    if len(samples) > max_samples:
        raise RefusedMessage(Refusal.OVER_LONG, f"more than {max_samples} samples")
    if codec is not Codec.PCM and not np.isfinite(samples).all():
        raise RefusedMessage(Refusal.NON_FINITE, "the sound holds values that are not finite")
    return samples


def _decode_compressed(
    payload: bytes, codec: Codec, sample_rate_hz: int, max_samples: int
) -> NDArray[np.float32]:
    try:
        with soundfile.SoundFile(io.BytesIO(payload)) as sound:
            expected = "FLAC" if codec is Codec.FLAC else "OGG"
            if sound.format != expected or (codec is Codec.OPUS and sound.subtype != "OPUS"):
                raise RefusedMessage(
                    Refusal.UNREADABLE, f"the bytes are {sound.format}, not {codec.value}"
                )
            if sound.channels != 1:
                raise RefusedMessage(Refusal.UNREADABLE, f"{sound.channels} channels, not one")
            if sound.samplerate != sample_rate_hz:
                raise RefusedMessage(
                    Refusal.ABSURD_HEADER,
                    f"the sound is at {sound.samplerate} Hz, its header says {sample_rate_hz}",
                )
            return sound.read(max_samples + 1, dtype="float32")
    except soundfile.SoundFileError as error:
        raise RefusedMessage(Refusal.UNREADABLE, f"not {codec.value}: {error}") from None
