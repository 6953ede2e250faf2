"""Ten thousand mutated messages: each is accepted or refused with a reason, nothing else."""

from collections import Counter

import numpy as np
import pytest

from streams.errors import RefusedMessage
from streams.hearing.arrival import decode_arrival
from streams.records.audio_chunk import AudioChunk
from streams.records.sound import Codec

MESSAGES = 10_000
NOW_MS = 1_700_000_000_000


def mutated_messages(count: int, seed: int = 0):
    """(key, value, headers) of chunks in all codecs with one or two random faults each."""
    rng = np.random.default_rng(seed)
    originals = [
        AudioChunk.from_waveform(
            monitor=f"cot-{rate}-{codec}",
            sequence=rate,
            captured_at_ms=NOW_MS,
            waveform=rng.uniform(-0.3, 0.3, rate).astype(np.float32),
            sample_rate_hz=rate,
            codec=codec,
        ).encode()
        for rate in (8000, 16000)
        for codec in Codec
    ]
    for _ in range(count):
        key, value, headers = originals[rng.integers(len(originals))]
        headers = list(headers)
        for _ in range(rng.integers(1, 3)):
            key, value, headers = _mutate(rng, key, value, headers)
        yield key, value, headers


def _mutate(rng, key, value, headers):
    kind = rng.integers(9)
    if kind == 0:
        value = _flip(rng, value)
    elif kind == 1:
        value = (value or b"")[: rng.integers(0, len(value or b"") + 1)]
    elif kind == 2:
        value = (value or b"") + rng.bytes(int(rng.integers(1, 60_000)))
    elif kind == 3 and headers:
        del headers[rng.integers(len(headers))]
    elif kind == 4 and headers:
        at = rng.integers(len(headers))
        headers[at] = (headers[at][0], _flip(rng, headers[at][1]))
    elif kind == 5 and headers:
        at = rng.integers(len(headers))
        headers[at] = (headers[at][0], rng.bytes(int(rng.integers(0, 2000))))
    elif kind == 6 and headers:
        one, other = rng.integers(len(headers), size=2)
        headers[one] = (headers[one][0], headers[other][1])
    elif kind == 7:
        key = [None, b"", _flip(rng, key), rng.bytes(20)][rng.integers(4)]
    else:
        value = [None, b"", rng.bytes(100)][rng.integers(3)]
    return key, value, headers


def _flip(rng, data):
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        changed[rng.integers(len(changed))] = rng.integers(256)
    return bytes(changed)


def test_mutated_messages_are_accepted_or_refused_and_never_raise_anything_else():
    outcomes = Counter()
    for offset, (key, value, headers) in enumerate(mutated_messages(MESSAGES)):
        try:
            arrival = decode_arrival(key, value, headers, partition=0, offset=offset, now_ms=NOW_MS)
        except RefusedMessage as error:
            outcomes[error.refusal.value] += 1
            continue
        outcomes["accepted"] += 1
        assert np.isfinite(arrival.waveform).all()
        assert arrival.waveform.shape == (arrival.chunk.sample_rate_hz,)
    assert sum(outcomes.values()) == MESSAGES
    # Were all refused, or none, the mutations would test little.
    assert MESSAGES / 50 < outcomes["accepted"] < MESSAGES / 2
    assert len(outcomes) >= 7, outcomes


def test_headers_of_a_wrong_kind_are_refused():
    with pytest.raises(RefusedMessage):
        decode_arrival(b"k", b"v", None, partition=0, offset=0, now_ms=NOW_MS)
