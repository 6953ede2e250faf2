import numpy as np

from streams.records.audio_chunk import AudioChunk
from streams.sources.source import first_sequence, in_capture_order


def chunk(monitor: str, captured_at_ms: int) -> AudioChunk:
    return AudioChunk.from_waveform(
        monitor=monitor,
        sequence=0,
        captured_at_ms=captured_at_ms,
        waveform=np.zeros(8000, dtype=np.float32),
        sample_rate_hz=8000,
    )


def test_streams_are_merged_by_capture_time_and_ties_keep_the_order_of_the_streams() -> None:
    a = [chunk("a", t) for t in (0, 1000, 2000)]
    b = [chunk("b", t) for t in (500, 1000)]
    merged = in_capture_order([iter(a), iter(b)])
    assert [(c.captured_at_ms, c.monitor) for c in merged] == [
        (0, "a"),
        (500, "b"),
        (1000, "a"),
        (1000, "b"),
        (2000, "a"),
    ]


def test_a_restart_never_reuses_a_sequence_number() -> None:
    # Ten chunks from one start; a restart can be no earlier than when the tenth was over.
    start_ms = 1_700_000_000_999
    last = first_sequence(start_ms) + 9
    assert first_sequence(start_ms + 10_000) > last
