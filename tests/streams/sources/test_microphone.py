"""The sound card is replaced at the one place where it is asked for sound: `sounddevice`."""

import sys
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from streams.errors import SourceError
from streams.sources.microphone import MicrophoneSource

START_MS = 1_700_000_000_250


class Clock:
    """Stands still until somebody listens."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms


class Card:
    """A sound card: each read takes `read_ms` of the clock; the numbered reads lose sound."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self, clock: Clock, read_ms: dict[int, int], losing: set[int]) -> None:
        self.clock, self.read_ms, self.losing = clock, read_ms, losing
        self.reads = 0
        self.opened: dict = {}
        self.closed = False

    def InputStream(self, **settings: object) -> "Card":
        if settings["device"] == "absent":
            raise ValueError("No input device matching 'absent'")
        self.opened = settings
        return self

    def __enter__(self) -> "Card":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def read(self, frames: int) -> tuple[np.ndarray, bool]:
        number, self.reads = self.reads, self.reads + 1
        if number == 9:
            raise self.PortAudioError("Device unavailable")
        self.clock.ms += self.read_ms.get(number, 1000)
        return np.full((frames, 1), 0.01 * number, dtype=np.float32), number in self.losing


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plug_in(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    def plug(read_ms: dict[int, int] | None = None, losing: set[int] = frozenset()) -> Card:
        card = Card(clock, read_ms or {}, losing)
        fake = SimpleNamespace(InputStream=card.InputStream, PortAudioError=card.PortAudioError)
        monkeypatch.setitem(sys.modules, "sounddevice", fake)
        return card

    return plug


def test_seconds_follow_each_other_by_the_count_of_samples(clock: Clock, plug_in) -> None:
    card = plug_in({1: 1030, 2: 960})
    source = MicrophoneSource("mon-1", sample_rate_hz=8000, now_ms=clock)
    chunks = list(islice(source.chunks(), 4))
    assert card.opened == {"samplerate": 8000, "channels": 1, "dtype": "float32", "device": None}
    assert [c.captured_at_ms - START_MS for c in chunks] == [0, 1000, 2000, 3000]
    assert [c.sequence for c in chunks] == [1_700_000_000 + n for n in range(4)]
    np.testing.assert_allclose(chunks[3].waveform(), 0.03, atol=1e-4)


def test_a_machine_that_slept_leaves_a_gap_in_time(clock: Clock, plug_in) -> None:
    plug_in({2: 61_000})
    chunks = list(islice(MicrophoneSource("mon-1", now_ms=clock).chunks(), 4))
    assert [c.captured_at_ms - START_MS for c in chunks] == [0, 1000, 62_000, 63_000]
    assert np.diff([c.sequence for c in chunks]).tolist() == [1, 1, 1]


def test_lost_sound_moves_to_the_clock_and_never_backwards(clock: Clock, plug_in) -> None:
    plug_in({1: 1200, 2: 100, 3: 100}, losing={1, 3})
    chunks = list(islice(MicrophoneSource("mon-1", now_ms=clock).chunks(), 4))
    assert [c.captured_at_ms - START_MS for c in chunks] == [0, 1200, 2200, 3200]


def test_the_first_second_may_be_given_another_time(clock: Clock, plug_in) -> None:
    plug_in()
    source = MicrophoneSource("mon-1", start_ms=5_000_000, now_ms=clock)
    assert [c.captured_at_ms for c in islice(source.chunks(), 2)] == [5_000_000, 5_001_000]


def test_the_microphone_is_closed_when_nobody_listens_any_more(clock: Clock, plug_in) -> None:
    card = plug_in()
    chunks = MicrophoneSource("mon-1", now_ms=clock).chunks()
    next(chunks)
    assert not card.closed
    chunks.close()
    assert card.closed


def test_missing_parts_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SourceError, match=r"pip install 'vagitus\[microphone\]'"):
        next(MicrophoneSource("mon-1").chunks())


def test_a_missing_or_failing_device_is_named(clock: Clock, plug_in) -> None:
    card = plug_in()
    with pytest.raises(SourceError, match="'absent' cannot be heard"):
        next(MicrophoneSource("mon-1", device="absent", now_ms=clock).chunks())
    with pytest.raises(SourceError, match="Device unavailable"):
        list(MicrophoneSource("mon-1", now_ms=clock).chunks())
    assert card.closed
