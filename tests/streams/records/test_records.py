"""Every record comes back from the broker as it went."""

import json
from hashlib import sha256

import numpy as np
import pytest

from streams.errors import Refusal, RefusedMessage
from streams.records.admission import Admission
from streams.records.cry_embedding import CryEmbedding
from streams.records.cry_scores import CryScore, CryScores
from streams.records.cry_segment import MAX_SECONDS, CrySegment
from streams.records.dead_letter import DeadLetter
from streams.records.deviation import DeviationRecord
from streams.records.place import Place

NOW_MS = 1_700_000_000_000
PLACE = Place("mon-1", "infant-07f3", "nicu", "cot-1")


def segment(scores=(0.9, 0.8), noise_dbfs: float | None = -40.2) -> CrySegment:
    waveform = np.random.default_rng(0).uniform(-0.5, 0.5, 8000 * len(scores)).astype(np.float32)
    return CrySegment(
        place=PLACE,
        started_at_ms=NOW_MS,
        scores=tuple(scores),
        level_dbfs=-12.5,
        noise_dbfs=noise_dbfs,
        clipped_fraction=0.01,
        detector_version="detector-1",
        sample_rate_hz=8000,
        flac=CrySegment.flac_of(waveform, 8000),
    )


def embedding(values=None, noise_dbfs: float | None = -40.2) -> CryEmbedding:
    if values is None:
        values = np.random.default_rng(1).normal(size=192).astype(np.float32)
    return CryEmbedding(
        "mon-1@x", PLACE, NOW_MS, 2.0, 0.85, -12.5, noise_dbfs, 0.01, "identity-1", values
    )


def deviation(**changes) -> DeviationRecord:
    fields = {
        "id": "s#1", "segment_id": "s", "infant": "infant-07f3", "ward": "nicu", "bed": "cot-1",
        "monitor": "mon-1", "started_at_ms": NOW_MS, "seconds": 2.0, "state": "ready",
        "sigma": 0.5, "p_value": 0.4, "drift_sigma": None, "drifting": False, "gate": "accepted",
        "reason": "normal", "baseline_segments": 7, "baseline_version": "1",
    }  # fmt: skip
    return DeviationRecord(**(fields | changes))


def test_a_segment_survives_with_its_sound():
    before = segment()
    after = CrySegment.decode(*before.encode())
    assert after == before
    assert before.encode()[0] == b"infant-07f3"
    np.testing.assert_array_equal(after.waveform(), before.waveform())


@pytest.mark.parametrize("record", [segment, embedding])
def test_a_room_that_was_not_measured_stays_so(record):
    kind = type(record())
    assert kind.decode(*record(noise_dbfs=-40.2).encode()).noise_dbfs == -40.2
    assert kind.decode(*record(noise_dbfs=None).encode()).noise_dbfs is None
    key, value, headers = record().encode()
    with pytest.raises(RefusedMessage) as refused:
        kind.decode(key, value, dict(headers) | {"ce_noise": b"nan"})
    assert refused.value.refusal is Refusal.NON_FINITE


def test_the_longest_segment_fits_its_headers():
    longest = segment([0.123456] * MAX_SECONDS)
    assert CrySegment.decode(*longest.encode()).seconds == MAX_SECONDS


def test_an_embedding_survives():
    before = embedding()
    after = CryEmbedding.decode(*before.encode())
    np.testing.assert_array_equal(after.embedding, before.embedding)
    assert (after.segment_id, after.place, after.cry_score) == ("mon-1@x", PLACE, 0.85)


def test_an_embedding_that_is_not_finite_is_refused():
    values = np.zeros(192, np.float32)
    values[5] = np.nan
    with pytest.raises(RefusedMessage) as refused:
        CryEmbedding.decode(*embedding(values).encode())
    assert refused.value.refusal is Refusal.NON_FINITE


def test_scores_of_a_batch_survive():
    before = CryScores(
        "detector-1", tuple(CryScore("m", i, NOW_MS + i, 0.5, -40.0, 0.0) for i in range(3))
    )
    assert CryScores.from_json(before.to_json()) == before


def test_a_deviation_survives_and_unknown_stays_unknown():
    before = deviation(sigma=None, p_value=None)
    assert DeviationRecord.from_json(before.to_json()) == before


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{", b"\xff", b'{"monitor": "m"}', b"null"])
def test_json_that_is_no_record_is_refused(value):
    with pytest.raises(RefusedMessage):
        Admission.from_json(value)


def test_a_number_that_is_not_finite_is_neither_written_nor_read():
    with pytest.raises(ValueError):
        deviation(sigma=float("nan")).to_json()
    fields = json.loads(deviation().to_json()) | {"sigma": float("inf")}
    with pytest.raises(RefusedMessage):
        DeviationRecord.from_json(json.dumps(fields).encode())


@pytest.mark.parametrize("name", ["", "a b", "x" * 129, "ä", "a\n", 7])
def test_an_admission_takes_only_names_that_can_be_labels(name):
    with pytest.raises(RefusedMessage):
        Admission("mon-1", name, "nicu", "cot-1", NOW_MS)


def letter(value: bytes | None, sound: bool, headers=()) -> DeadLetter:
    error = RefusedMessage(Refusal.UNKNOWN_CODEC, "content-type is nothing we know")
    return DeadLetter.of(
        error, topic="t", partition=3, offset=9, key=b"k", value=value, headers=headers, sound=sound
    )


def test_a_dead_letter_says_where_the_message_lay_and_what_it_was():
    came = [("ce_id", b"7"), ("content-type", b"audio/mpeg"), ("empty", None)]
    key, value, headers = letter(b"v" * 700, sound=False, headers=came).encode()
    assert (key, value) == (b"k", b"v" * 700)
    assert dict(headers) == {
        "reason": b"unknown_codec",
        "detail": b"content-type is nothing we know",
        "topic": b"t",
        "partition": b"3",
        "offset": b"9",
        "bytes": b"700",
        "sha256": sha256(b"v" * 700).hexdigest().encode(),
        "original.ce_id": b"7",
        "original.content-type": b"audio/mpeg",
        "original.empty": b"",
    }
    assert dict(letter(b"v", sound=False, headers=dict(came)).headers)["ce_id"] == b"7"


def test_a_dead_letter_holds_no_sound_and_nothing_without_bounds():
    sound = np.random.default_rng(0).bytes(32_000)
    heard = letter(sound, sound=True)
    assert heard.value == sound[:64]
    assert (heard.size_bytes, heard.digest) == (32_000, sha256(sound).hexdigest())
    flood = letter(sound, sound=False, headers=[(f"{n}" * 900, sound) for n in range(999)])
    _, value, headers = flood.encode()
    assert len(value) == 4096
    assert sum(len(name) + len(text) for name, text in headers) < 20_000


def test_a_dead_letter_of_a_message_without_a_value_has_none():
    _, value, headers = letter(None, sound=True).encode()
    assert value is None
    assert "sha256" not in dict(headers)
