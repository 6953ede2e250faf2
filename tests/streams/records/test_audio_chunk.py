"""What a chunk is, and all that it may not be."""

import numpy as np
import pytest

from streams.errors import Refusal, RefusedMessage
from streams.records.audio_chunk import MAX_PAYLOAD_BYTES, AudioChunk
from streams.records.cloudevent import MAX_AHEAD_MS
from streams.records.sound import Codec

NOW_MS = 1_700_000_000_000


def chunk(codec: Codec = Codec.PCM, rate: int = 16000, waveform=None) -> AudioChunk:
    if waveform is None:
        waveform = np.sin(np.arange(rate) / 20).astype(np.float32) * 0.5
    return AudioChunk.from_waveform(
        monitor="cot-1",
        sequence=7,
        captured_at_ms=NOW_MS,
        waveform=waveform,
        sample_rate_hz=rate,
        codec=codec,
    )


def refusal_of(key, value, headers, now_ms=None) -> Refusal:
    with pytest.raises(RefusedMessage) as refused:
        AudioChunk.decode(key, value, headers, now_ms).waveform()
    assert "\n" not in str(refused.value)
    return refused.value.refusal


def changed(name: str, value: bytes | None) -> list[tuple[str, bytes]]:
    _, _, headers = chunk().encode()
    kept = [(n, v) for n, v in headers if n != name]
    return kept if value is None else [*kept, (name, value)]


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("codec", list(Codec))
def test_a_chunk_survives_the_way_through_kafka(codec, rate):
    before = chunk(codec, rate)
    after = AudioChunk.decode(*before.encode(), now_ms=NOW_MS)
    assert after == before
    likeness = np.corrcoef(after.waveform(), chunk(rate=rate).waveform())[0, 1]
    assert likeness > (0.9 if codec is Codec.OPUS else 1 - 1e-9)


def test_headers_are_cloudevents_in_binary_mode():
    headers = dict(chunk().encode()[2])
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_id"] == b"7"
    assert headers["ce_source"] == b"cot-1"
    assert headers["ce_time"] == b"2023-11-14T22:13:20.000Z"
    assert headers["content-type"] == b"audio/pcm-s16le;rate=16000"


@pytest.mark.parametrize(
    "name", ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"]
)
def test_every_header_is_needed(name):
    key, value, _ = chunk().encode()
    assert refusal_of(key, value, changed(name, None)) is Refusal.MISSING_HEADER


@pytest.mark.parametrize(
    ("name", "header", "refusal"),
    [
        ("ce_id", b"-1", Refusal.ABSURD_HEADER),
        ("ce_id", "٣".encode(), Refusal.ABSURD_HEADER),
        ("ce_id", b"9" * 40, Refusal.ABSURD_HEADER),
        ("ce_id", b"9" * 5000, Refusal.OVER_LONG),
        ("ce_source", b"\xff\xfe", Refusal.ABSURD_HEADER),
        ("ce_source", b"cot 1", Refusal.ABSURD_HEADER),
        ("ce_source", b"another", Refusal.ABSURD_HEADER),
        ("ce_source", b"cot\x00", Refusal.ABSURD_HEADER),
        ("ce_time", b"yesterday", Refusal.ABSURD_HEADER),
        ("ce_time", b"1970-01-01T00:00:00Z", Refusal.ABSURD_HEADER),
        ("ce_time", b"2023-11-14T22:13:20", Refusal.ABSURD_HEADER),
        ("ce_type", b"something.else", Refusal.ABSURD_HEADER),
        ("ce_specversion", b"0.3", Refusal.ABSURD_HEADER),
        ("content-type", b"audio/mpeg;rate=16000", Refusal.UNKNOWN_CODEC),
        ("content-type", b"audio/flac", Refusal.MISSING_HEADER),
        ("content-type", b"audio/flac;rate=44100", Refusal.ABSURD_HEADER),
        ("content-type", b"audio/flac;rate=16000", Refusal.UNREADABLE),
        ("content-type", b"audio/pcm-s16le;rate=8000", Refusal.WRONG_LENGTH),
    ],
)
def test_an_absurd_header_is_refused_with_its_reason(name, header, refusal):
    key, value, _ = chunk().encode()
    assert refusal_of(key, value, changed(name, header)) is refusal


def test_a_clock_more_than_a_day_ahead_is_refused():
    encoded = chunk().encode()
    AudioChunk.decode(*encoded, now_ms=NOW_MS - MAX_AHEAD_MS)
    assert refusal_of(*encoded, now_ms=NOW_MS - MAX_AHEAD_MS - 1) is Refusal.ABSURD_HEADER


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        (None, Refusal.WRONG_LENGTH),
        (b"", Refusal.WRONG_LENGTH),
        (b"x", Refusal.WRONG_LENGTH),
        (b"x" * 31_000, Refusal.WRONG_LENGTH),
        (b"x" * (MAX_PAYLOAD_BYTES + 1), Refusal.OVER_LONG),
    ],
)
def test_a_value_that_is_no_second_is_refused(value, refusal):
    key, _, headers = chunk().encode()
    assert refusal_of(key, value, headers) is refusal


def test_a_long_silence_in_few_bytes_is_refused_and_not_unpacked():
    minutes = chunk(Codec.FLAC, waveform=np.zeros(16000 * 120, np.float32))
    assert len(minutes.payload) < MAX_PAYLOAD_BYTES
    assert refusal_of(*minutes.encode()) is Refusal.OVER_LONG


def test_flac_at_another_rate_than_its_header_says_is_refused():
    key, value, _ = chunk(Codec.FLAC, 8000).encode()
    _, _, headers = chunk(Codec.FLAC, 16000).encode()
    assert refusal_of(key, value, headers) is Refusal.ABSURD_HEADER


def test_a_second_that_is_a_few_samples_short_is_padded():
    short = chunk(waveform=np.full(15_900, 0.5, np.float32)).waveform()
    assert short.shape == (16_000,)
    assert short[15_900:].max() == 0
