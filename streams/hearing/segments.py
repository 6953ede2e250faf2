"""From second scores to cry segments: one state machine a monitor, without a clock of its own.

A segment opens at the first second whose score reaches the onset score, and closes when the
score has stayed under the offset score for the hangover, when it is as long as a segment may be,
or when the sound stops (a gap, a silent monitor). It counts only if enough of its seconds in a row
are not quiet and one of these is surely a cry: cats and playing children rarely sound like one, and
a cat that does is quiet again within a second, where an infant goes on. Between segments the
machine remembers nothing: that is what lets another worker take over at any closed second and come
to the same segments.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streams.records.cry_scores import CryScore
from streams.records.cry_segment import MAX_SECONDS, CrySegment
from streams.records.place import Place


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """When segments open, close and count; `streams.settings.Settings` has the defaults."""

    onset_score: float
    offset_score: float
    hangover_seconds: int
    minimum_seconds: int
    sure_score: float = 0.0
    maximum_seconds: int = MAX_SECONDS


@dataclass(frozen=True, slots=True)
class HeardSecond:
    """One scored second with its sound: float32 [sample_rate_hz]."""

    score: CryScore
    waveform: NDArray[np.float32]
    sample_rate_hz: int
    offset: int


@dataclass(slots=True)
class Segmenter:
    """The open segment of one monitor, if any."""

    rules: SegmentRules
    _open: list[HeardSecond] = field(default_factory=list)
    _quiet: int = 0

    @property
    def is_open(self) -> bool:
        """Whether a segment is open."""
        return bool(self._open)

    def opens(self, second: HeardSecond) -> bool:
        """Whether this second would open a segment, none being open."""
        return second.score.score >= self.rules.onset_score

    def hear(self, second: HeardSecond) -> bool:
        """Take the next second; returns whether the open segment must now be closed.

        The caller guarantees that the seconds of an open segment follow each other without a
        gap and at one sample rate, and closes it where they do not.
        """
        if not self._open and not self.opens(second):
            return False
        self._open.append(second)
        quiet = second.score.score < self.rules.offset_score
        self._quiet = self._quiet + 1 if quiet else 0
        return (
            self._quiet >= self.rules.hangover_seconds
            or len(self._open) >= self.rules.maximum_seconds
        )

    def close(self) -> tuple[list[HeardSecond], list[HeardSecond]]:
        """Close the open segment.

        Returns:
            its seconds without the quiet end; none if these do not count. And the quiet end: the
            room without the cry.
        """
        end = len(self._open) - self._quiet
        seconds, room = self._open[:end], self._open[end:]
        self._open, self._quiet = [], 0
        return (seconds if self._counts(seconds) else []), room

    def _counts(self, seconds: Sequence[HeardSecond]) -> bool:
        """Whether enough seconds in a row, none of them quiet, hold one that is surely a cry."""
        length, sure = 0, False
        for second in seconds:
            score = second.score.score
            if score < self.rules.offset_score:
                length, sure = 0, False
                continue
            length, sure = length + 1, sure or score >= self.rules.sure_score
            if sure and length >= self.rules.minimum_seconds:
                return True
        return False


def segment_of(
    place: Place,
    seconds: Sequence[HeardSecond],
    room: Sequence[HeardSecond],
    detector_version: str,
) -> CrySegment:
    """The record of a segment that was closed and counts; `room`: the quiet seconds that ended it.

    The room's noise is the lower one of their levels: in the other one somebody may have spoken.
    """
    waveform = np.concatenate([second.waveform for second in seconds])
    rate = seconds[0].sample_rate_hz
    return CrySegment(
        place=place,
        started_at_ms=seconds[0].score.captured_at_ms,
        scores=tuple(second.score.score for second in seconds),
        level_dbfs=max(second.score.level_dbfs for second in seconds),
        noise_dbfs=min((second.score.level_dbfs for second in room), default=None),
        clipped_fraction=float(np.mean([second.score.clipped_fraction for second in seconds])),
        detector_version=detector_version,
        sample_rate_hz=rate,
        flac=CrySegment.flac_of(waveform, rate),
    )


@dataclass(frozen=True, slots=True)
class SegmentMark:
    """What has become of a monitor's segments, and when it was heard; -1 stands for none.

    Attributes:
        ended_offset: chunks up to here belong to segments that were sent.
        ended_ms: capture time of that chunk. Both must hold for a chunk to be passed over, so
            that neither a clock set back nor a topic made anew can silence a monitor.
        opened_offset: the first chunk of the open segment.
        heard_ms: capture time of the last second heard: exact of a monitor that has fallen silent,
            some minutes old of one that is heard.
    """

    ended_offset: int = -1
    ended_ms: int = -1
    opened_offset: int = -1
    heard_ms: int = -1

    def covers(self, offset: int, captured_at_ms: int) -> bool:
        """Whether a chunk belongs to a segment that was sent."""
        return offset <= self.ended_offset and captured_at_ms <= self.ended_ms
