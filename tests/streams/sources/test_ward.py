from itertools import islice

import numpy as np

from models.synthesis.ward import SimulatedWard
from streams.records.audio_chunk import AudioChunk
from streams.records.sound import Codec
from streams.sources.ward import WardSource

START_MS = 1_700_000_000_250


def test_every_cot_has_a_chunk_for_every_second_in_order() -> None:
    source = WardSource(SimulatedWard(monitors=3, seed=1), START_MS, seconds=4)
    chunks = list(source.chunks())
    assert [(c.captured_at_ms, c.monitor) for c in chunks] == [
        (START_MS + 1000 * second, cot.monitor) for second in range(4) for cot in source.cots
    ]
    assert [c.sequence for c in chunks[::3]] == [1_700_000_000 + n for n in range(4)]
    for chunk in chunks:
        assert AudioChunk.decode(*chunk.encode()) == chunk


def test_chunks_hold_the_sound_of_the_ward() -> None:
    ward = SimulatedWard(monitors=2, seed=1)
    chunks = WardSource(ward, START_MS, seconds=3).chunks()
    for second in islice(ward, 3):
        for waveform, _ in second:
            np.testing.assert_allclose(next(chunks).waveform(), waveform, atol=1e-4)


def test_the_truth_about_each_chunk_is_known_once_it_is_played() -> None:
    ward = SimulatedWard(monitors=2, seed=1, drift_at_seconds=5)
    source = WardSource(ward, START_MS, seconds=10)
    first = next(source.chunks())
    assert source.truth(first.monitor, START_MS + 1000) is None
    chunks = list(source.chunks())
    truths = [truth for second in islice(ward, 10) for _, truth in second]
    assert [source.truth(c.monitor, c.captured_at_ms) for c in chunks] == truths
    assert len(source.truths()) == 20
    assert any(truth.drifting for truth in truths)


def test_old_truths_are_forgotten(monkeypatch) -> None:
    monkeypatch.setattr("streams.sources.ward.TRUTHS_KEPT", 6)
    source = WardSource(SimulatedWard(monitors=2, seed=1), START_MS, seconds=5)
    list(source.chunks())
    assert {t.second for t in source.truths().values()} == {2, 3, 4}


def test_a_ward_without_an_end_goes_on() -> None:
    source = WardSource(SimulatedWard(monitors=1, seed=1), START_MS)
    assert len(list(islice(source.chunks(), 70))) == 70


def test_chunks_are_written_in_the_codec_asked_for() -> None:
    ward = SimulatedWard(monitors=1, seed=1)
    for codec in Codec:
        assert next(WardSource(ward, START_MS, codec=codec).chunks()).codec is codec
