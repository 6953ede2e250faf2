"""A microphone of this machine as a source (extra: `pip install 'vagitus[microphone]'`)."""

import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from streams.errors import SourceError
from streams.records.audio_chunk import AudioChunk
from streams.records.sound import Codec
from streams.sources.source import first_sequence

LARGEST_SLIP_MS: Final = 500
"""How far the count of samples may stray from the clock before the clock is believed: beyond it the
machine has slept, or its sound card has run too fast or slow for an hour or more."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class MicrophoneSource:
    """Listens to a microphone, second after second, until nobody asks any more.

    Args:
        monitor: name under which it is heard.
        device: number or part of the name of the input device; None: the system's own choice.
        sample_rate_hz: 8000 or 16000.
        codec: how the chunks are written.
        start_ms: capture time of the first second; None: when the microphone opens.
        now_ms: the clock, ms since 1970 UTC.
    """

    def __init__(
        self,
        monitor: str,
        device: int | str | None = None,
        sample_rate_hz: int = 16_000,
        codec: Codec = Codec.PCM,
        start_ms: int | None = None,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self.monitor = monitor
        self.device = device
        self.sample_rate_hz = sample_rate_hz
        self.codec = codec
        self.start_ms = start_ms
        self._now_ms = now_ms

    def chunks(self) -> Iterator[AudioChunk]:
        """Every second as soon as it is over.

        Seconds follow each other by the count of samples. When sound was lost, or that count and
        the clock part by more than half a second, the next second takes its time from the clock,
        which shows as a gap in time.

        Raises:
            SourceError: the package, the library or the device is missing, or the device stopped.
        """
        sounddevice = _sounddevice()
        try:
            with sounddevice.InputStream(
                samplerate=self.sample_rate_hz, channels=1, dtype="float32", device=self.device
            ) as stream:
                yield from self._listen(stream)
        except (sounddevice.PortAudioError, ValueError) as error:
            device = "the default microphone" if self.device is None else f"{self.device!r}"
            raise SourceError(
                f"{device} cannot be heard: {error}; `python -m sounddevice` lists the devices"
            ) from error

    def _listen(self, stream: Any) -> Iterator[AudioChunk]:  # sounddevice, its type, is optional
        captured_at_ms = start = self._now_ms() if self.start_ms is None else self.start_ms
        clock_offset = start - self._now_ms()
        sequence = first_sequence(start)
        while True:
            samples, lost = stream.read(self.sample_rate_hz)
            by_clock = self._now_ms() + clock_offset - 1000
            if lost or abs(by_clock - captured_at_ms) > LARGEST_SLIP_MS:
                # Never backwards: time that has been given out is not given out again.
                captured_at_ms = max(by_clock, captured_at_ms)
            yield AudioChunk.from_waveform(
                monitor=self.monitor,
                sequence=sequence,
                captured_at_ms=captured_at_ms,
                waveform=samples[:, 0],
                sample_rate_hz=self.sample_rate_hz,
                codec=self.codec,
            )
            captured_at_ms += 1000
            sequence += 1


def _sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ImportError as error:
        raise SourceError(
            "a microphone needs the package sounddevice: pip install 'vagitus[microphone]'"
        ) from error
    except OSError as error:  # the package is there, the library under it is not
        raise SourceError(
            f"a microphone needs the PortAudio library ({error}): install it with the system's "
            "package manager, e.g. apt install libportaudio2"
        ) from error
    return sounddevice
