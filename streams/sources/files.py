"""Recordings as a source: every file a monitor, or all of them one after another at one monitor."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import sound
from streams.errors import SourceError
from streams.records.audio_chunk import AudioChunk
from streams.records.sound import Codec
from streams.sources.cut import KEPT_REMAINDER_SECONDS, cut_seconds
from streams.sources.source import first_sequence, in_capture_order

SUFFIXES = frozenset({".wav", ".flac", ".opus", ".ogg", ".3gp", ".caf", ".m4a", ".mp3"})
"""What is taken from a folder; a file named by itself may be called anything."""

NARROW_RATE_HZ = 8_000
"""Telephone-band recordings stay at this rate: upsampling would add a second's bytes, not sound."""

WIDE_RATE_HZ = 16_000

NAME_LENGTH = 100
"""Longest monitor name made from a file name; leaves room for a number within the limit of 128."""


def read_seconds(path: Path) -> tuple[NDArray[np.float32], int]:
    """A recording as the stream hears it: float32 [seconds, rate] and the rate, 8000 or 16000 Hz.

    A recording at 8 kHz stays as it is; any other is resampled to 16 kHz. The last part of a second
    is treated as `cut_seconds` says.

    Raises:
        SourceError: there is no such file, it is not sound, too coarse, or shorter than half a
            second.
    """
    if not path.is_file():
        raise SourceError(f"there is no file {path}")
    try:
        waveform, rate = sound.read(path, None)
        if rate < NARROW_RATE_HZ:
            raise SourceError(
                f"{path} has {rate} samples a second: a cry is heard from {NARROW_RATE_HZ} on"
            )
        if rate not in (NARROW_RATE_HZ, WIDE_RATE_HZ):
            waveform, rate = sound.read(path, WIDE_RATE_HZ)
    except sound.SoundError as error:
        raise SourceError(f"{path} cannot be played: {error}") from error
    seconds = cut_seconds(waveform, rate)
    if not len(seconds):
        raise SourceError(f"{path} is shorter than {KEPT_REMAINDER_SECONDS} s")
    return seconds, rate


class FileSource:
    """Plays recordings.

    Without a monitor, each file is a monitor of its own (see `monitors`) and all begin at the same
    moment. With one, the files follow each other at that monitor in the order given.

    Args:
        paths: files and folders. A folder stands for all recordings in and below it, by name.
        start_ms: capture time of the first second, ms since 1970 UTC.
        monitor: the one monitor that hears everything.
        gap_seconds: silence of the clock, not of the sound, between files of that one monitor:
            no chunks come, and the next file begins this much later.
        codec: how the chunks are written.

    Attributes:
        monitors: for each monitor, the files that it will play.
        skipped: a sentence for each file of a folder that could not be read; grows while playing.

    Raises:
        SourceError: a path does not exist, or a folder holds no recordings. Whether a file is
            readable is seen only when it is played: one that was named by itself then ends the
            play with a SourceError, one from a folder is skipped.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        start_ms: int,
        monitor: str | None = None,
        gap_seconds: int = 0,
        codec: Codec = Codec.PCM,
    ) -> None:
        self.start_ms = start_ms
        self.gap_seconds = gap_seconds
        self.codec = codec
        self.skipped: list[str] = []
        self._named = {path for path in paths if not path.is_dir()}
        found = [file for path in paths for file in _recordings(path)]
        self.monitors: dict[str, list[Path]] = {}
        if monitor is not None:
            self.monitors[monitor] = found
        else:
            for file in found:
                self.monitors[_unused_name(file, self.monitors)] = [file]

    def chunks(self) -> Iterator[AudioChunk]:
        """All seconds of all files in the order of their capture time.

        Raises:
            SourceError: a file that was named by itself cannot be read, or none of a folder can.
        """
        self.skipped.clear()
        played = False
        streams = [self._monitor_chunks(name, files) for name, files in self.monitors.items()]
        for chunk in in_capture_order(streams):
            played = True
            yield chunk
        if not played:
            raise SourceError(f"nothing could be played: {'; '.join(self.skipped)}")

    def _monitor_chunks(self, monitor: str, files: Sequence[Path]) -> Iterator[AudioChunk]:
        sequence = first_sequence(self.start_ms)
        captured_at_ms = self.start_ms
        for file in files:
            try:
                seconds, rate = read_seconds(file)
            except SourceError as error:
                if file in self._named:
                    raise
                self.skipped.append(str(error))
                continue
            for waveform in seconds:
                yield AudioChunk.from_waveform(
                    monitor=monitor,
                    sequence=sequence,
                    captured_at_ms=captured_at_ms,
                    waveform=waveform,
                    sample_rate_hz=rate,
                    codec=self.codec,
                )
                sequence += 1
                captured_at_ms += 1000
            captured_at_ms += 1000 * self.gap_seconds


def _recordings(path: Path) -> list[Path]:
    """The file itself, or all recordings in and below a folder, sorted."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SourceError(f"there is no file or folder {path}")
    found = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    if not found:
        kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
        raise SourceError(f"the folder {path} holds no recordings ({kinds})")
    return found


def _unused_name(path: Path, taken: dict[str, list[Path]]) -> str:
    """A monitor name made from a file name, numbered if another file already has it."""
    letters = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("._-")
    name = letters[:NAME_LENGTH] or "recording"
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    return candidate
