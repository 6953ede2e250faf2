"""How well the stream finds cries: its segments against intervals that somebody marked.

An *episode* is what a person would call one cry: marked intervals with only short pauses between
them, whatever the segmenter bridges. A segment is right if half of it lies in episodes, an episode
is found if half of it lies in segments: the intersection criterion of sound event detection (Bilen
et al. 2020, "A Framework for the Robust Evaluation of Sound Event Detection", with both tolerances
at 0.5).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.corpora.labels import CRY_SECONDS
from streams.hearing.segments import HeardSecond, Segmenter, SegmentRules
from streams.records.cry_scores import CryScore

Interval = tuple[float, float]
TOLERANCE = 0.5
# An infant draws breath for a second at most; after two seconds of pause it has stopped.
PAUSE_SECONDS = 2.0
DAY_SECONDS = 86_400.0
_NO_SOUND: NDArray[np.float32] = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording as the stream scored it.

    Attributes:
        scores: of its seconds, 0..1.
        cries: the marked intervals in seconds; None where nobody marked any.
        is_cry: whether it is called a cry; if not, every segment in it is false.
        kind: what is heard.
    """

    scores: Sequence[float]
    cries: Sequence[Interval] | None
    is_cry: bool
    kind: str


@dataclass(slots=True)
class StreamFigures:
    """What `evaluate` counts; seconds and numbers of events."""

    segments: int = 0
    right_segments: int = 0
    episodes: int = 0
    found_episodes: int = 0
    delays: list[float] = field(default_factory=list)
    other_seconds: int = 0
    false_segments: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Share of the segments in marked recordings that are right; NaN without any."""
        return self.right_segments / self.segments if self.segments else float("nan")

    @property
    def recall(self) -> float:
        """Share of the episodes that were found; NaN without any."""
        return self.found_episodes / self.episodes if self.episodes else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)

    @property
    def false_per_day(self) -> float:
        """False segments a monitor-day of sound that is no cry; NaN without such sound."""
        if not self.other_seconds:
            return float("nan")
        return self.false_segments.total() * DAY_SECONDS / self.other_seconds

    def delay(self, share: float) -> float:
        """Quantile of the onset delays in seconds; NaN if no episode was found.

        From an episode's first marked moment to the end of the second that opened its segment:
        the earliest that a score of that second can be there.
        """
        return float(np.quantile(self.delays, share)) if self.delays else float("nan")


def evaluate(recordings: Iterable[Heard], rules: SegmentRules) -> StreamFigures:
    """Run the segmenter over scored recordings and compare."""
    figures = StreamFigures()
    for heard in recordings:
        segments = segments_of(heard.scores, rules)
        if not heard.is_cry:
            figures.other_seconds += len(heard.scores)
            figures.false_segments[heard.kind] += len(segments)
        elif heard.cries is not None:
            _compare(figures, segments, episodes(heard.cries))
    return figures


def segments_of(scores: Sequence[float], rules: SegmentRules) -> list[Interval]:
    """The segments that the stream cuts from a recording with these scores, in seconds."""
    segmenter = Segmenter(rules)
    found: list[Interval] = []

    def close() -> None:
        seconds, _ = segmenter.close()
        if seconds:
            found.append((float(seconds[0].offset), float(seconds[-1].offset + 1)))

    for second, score in enumerate(scores):
        said = CryScore("", second, 1000 * second, score, 0.0, 0.0)
        if segmenter.hear(HeardSecond(said, _NO_SOUND, 0, second)):
            close()
    close()
    return found


def episodes(intervals: Sequence[Interval]) -> list[Interval]:
    """Marked intervals, joined where the pause between two is shorter than `PAUSE_SECONDS`.

    What stays too short to make a second a cry is left out.
    """
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start - joined[-1][1] < PAUSE_SECONDS:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [episode for episode in joined if episode[1] - episode[0] >= CRY_SECONDS]


def _compare(figures: StreamFigures, segments: list[Interval], truth: list[Interval]) -> None:
    figures.segments += len(segments)
    figures.episodes += len(truth)
    figures.right_segments += sum(_covered(s, truth) >= TOLERANCE for s in segments)
    for episode in truth:
        if _covered(episode, segments) < TOLERANCE:
            continue
        figures.found_episodes += 1
        opened = min(start for start, end in segments if end > episode[0])
        figures.delays.append(opened + 1 - episode[0])


def _covered(interval: Interval, others: list[Interval]) -> float:
    start, end = interval
    shared = sum(max(0.0, min(end, e) - max(start, s)) for s, e in others)
    return shared / max(1e-9, end - start)
