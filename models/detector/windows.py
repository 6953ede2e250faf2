"""Seconds cut anywhere out of recordings, with the label that the marks give to that piece.

A stream cuts where its clock falls, not where a listener would. So training draws windows at any
offset, and asks the marks how much of each is a cry.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.corpora.labels import CRY_SECONDS, OTHER, UNKNOWN, cry_intervals
from models.corpora.manifest import Recording
from models.detector.data import Seconds, as_float
from models.detector.invented import Invention
from models.features import DETECTOR_RATE_HZ

# Marks are kept at 10 ms, finer than anybody marked.
MARKS_HZ = 100
SAMPLES_A_MARK = DETECTOR_RATE_HZ // MARKS_HZ
# Sound before the window, which a room answers into it and which fast play eats up.
HISTORY = DETECTOR_RATE_HZ // 2
# How often a window begins in seconds of each sort. Cries and what lies between them inside a cry
# recording are few and tell most; other sounds share the rest by the root of their number, so
# that speech does not drown the cats.
SHARES = {
    "cry, marked": 0.20,
    "cry, whole recording": 0.14,
    "cry, invented": 0.03,
    "between cries": 0.10,
    "edge of a cry": 0.02,
    "cry recording, not marked": 0.12,
    "other, invented": 0.09,
}
OTHER_SHARE = 0.5
OF_CRY_RECORDINGS = [sort for sort in SHARES if not sort.endswith("invented")]
# What is nearest to a cry is drawn more often.
HARD_KINDS = {
    "cat": 3.5, "infant laughter": 2.0, "children playing": 3.0, "monkey": 1.5, "rooster": 1.5,
    "sheep": 1.5, "street music": 1.5, "dog": 1.3, "dog bark": 1.3, "bird": 1.3, "siren": 1.3,
    "adult speech": 1.3, "bedside alarm": 1.3,
}  # fmt: skip
# How often a window is taken from after a codec. Marked cries come out of one already, those that
# are called a cry as a whole out of none, and so do other sounds: drawn like this, a sound that
# nobody encoded, and one after any codec, is a cry about as often as not. A ward encodes nothing.
COPIED_OTHER, COPIED_WHOLE, COPIED_MARKED = 0.75, 0.25, 0.5
# What a ward mixes into cries most: other sounds are mixed in as often as they are drawn.
NOISE_KINDS = {"adult speech": 4.0, "bedside alarm": 4.0, "bedside beep": 2.0}


@dataclass(frozen=True)
class Cut:
    """Windows as they were drawn.

    Attributes:
        waveforms: float32 [batch, history + 8000]; the window is the last second of each.
        ends: int64 [batch]: the sample after the window, in the sound of all seconds laid out.
        silence: int64 [batch]: so many samples lie before the recording's beginning.
    """

    waveforms: NDArray[np.float32]
    ends: NDArray[np.int64]
    silence: NDArray[np.int64]


class TrainingSound:
    """All sound that a detector trains on, laid out so that it can be cut anywhere.

    Args:
        seconds: of the corpus, with copies.
        manifest: that the seconds' recordings point into.
        invented: synthetic recordings to stand beside them.

    Attributes:
        sorts: str [seconds]: what each is, a key of `SHARES` or the kind of another sound.
        weights: float64 [seconds], how often a window shall begin about there; sums to 1.
        labels: int8 [seconds], those of the corpus and then of what was invented.
        of_cry_recordings: bool [seconds]: real ones that are called cries.
        seconds: how many there are.
    """

    def __init__(
        self, seconds: Seconds, manifest: list[Recording], invented: list[Invention]
    ) -> None:
        of_corpus = len(seconds.labels)
        extra = [_pcm_seconds(invention) for invention in invented]
        self.seconds = of_corpus + sum(map(len, extra))
        self._versions = [
            np.concatenate([version, *extra]).reshape(-1)
            for version in (seconds.waveforms, seconds.copies)
        ]
        numbers = [np.full(len(s), len(manifest) + i, np.int32) for i, s in enumerate(extra)]
        recordings = np.concatenate([seconds.recordings, *numbers])
        _, first, lengths = np.unique(recordings, return_index=True, return_counts=True)
        order = np.argsort(first)
        self._begins = np.repeat(first[order], lengths[order]) * DETECTOR_RATE_HZ
        self._ends = np.repeat((first + lengths)[order], lengths[order]) * DETECTOR_RATE_HZ
        marks = np.concatenate(
            [marks_of(seconds, manifest), *(i.marks.reshape(-1) for i in invented)]
        )
        self._marked = np.concatenate([[0.0], np.cumsum(np.nan_to_num(marks))])
        self._unknown = np.isnan(marks[::MARKS_HZ])
        self.labels = np.concatenate([seconds.labels, *(_labels(i) for i in invented)])
        self.sorts = np.concatenate(
            [_sorts(seconds, manifest), *([_sort(i)] * len(_labels(i)) for i in invented)]
        )
        self.of_cry_recordings = np.isin(self.sorts, OF_CRY_RECORDINGS)
        self.weights = _weights(self.sorts)
        self._copied = np.where(
            self.of_cry_recordings,
            np.where(self.sorts == "cry, whole recording", COPIED_WHOLE, COPIED_MARKED),
            COPIED_OTHER,
        )
        self._noises = np.flatnonzero(self.surely_other(np.arange(self.seconds)))
        boost = np.array([NOISE_KINDS.get(sort, 1.0) for sort in self.sorts[self._noises]])
        noise_weights = self.weights[self._noises] * boost
        self._noise_weights = noise_weights / noise_weights.sum()

    def cut(
        self,
        rows: NDArray[np.int64],
        rng: np.random.Generator,
        copies: float | None = None,
        history: int = HISTORY,
    ) -> Cut:
        """Windows that begin within half a second of the beginnings of seconds `rows`.

        They never leave their recording; before its beginning there is silence. `copies` is the
        share that is taken from after a codec, that of training if not given; `history` the
        samples before a window.
        """
        starts = rows * DETECTOR_RATE_HZ + rng.integers(-HISTORY, HISTORY + 1, len(rows))
        starts = np.clip(starts, self._begins[rows], self._ends[rows] - DETECTOR_RATE_HZ)
        at = starts[:, None] + np.arange(-history, DETECTOR_RATE_HZ)
        copied = rng.random(len(rows)) < (self._copied[rows] if copies is None else copies)
        waveforms = np.empty(at.shape, np.float32)
        for version, chosen in enumerate((~copied, copied)):
            inside = np.clip(at[chosen], 0, None)
            waveforms[chosen] = as_float(self._versions[version][inside])
        waveforms[at < self._begins[rows][:, None]] = 0.0
        silence = np.maximum(0, self._begins[rows] - at[:, 0])
        return Cut(waveforms, starts + DETECTOR_RATE_HZ, silence)

    def surely_other(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the seconds `rows` are of no cry and of no cry recording: bool [rows]."""
        return (self.labels[rows] == OTHER) & ~self.of_cry_recordings[rows]

    def drawn(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Seconds to cut windows about, drawn by their weights: int64 [count]."""
        return rng.choice(self.seconds, count, p=self.weights)

    def noises(
        self, count: int, rng: np.random.Generator, history: int = HISTORY
    ) -> NDArray[np.float32]:
        """Sounds that are known to hold no cry: float32 [count, history + 8000]."""
        rows = rng.choice(self._noises, count, p=self._noise_weights)
        return self.cut(rows, rng, history=history).waveforms

    def cry_shares(
        self, rows: NDArray[np.int64], ends: NDArray[np.int64], seconds: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """How much of the last `seconds` before `ends` is a cry, 0 to 1; nan if nobody knows."""
        last = np.rint(ends / SAMPLES_A_MARK).astype(int)
        first = np.rint((ends - seconds * DETECTOR_RATE_HZ) / SAMPLES_A_MARK).astype(int)
        share = (self._marked[last] - self._marked[np.maximum(first, 0)]) / (seconds * MARKS_HZ)
        return np.where(self._unknown[rows], np.nan, share)


def marks_of(seconds: Seconds, manifest: list[Recording]) -> NDArray[np.float32]:
    """1 where a cry is marked, 0 where none is, nan where nobody knows, at `MARKS_HZ`."""
    marks = np.zeros((len(seconds.labels), MARKS_HZ), np.float32)
    for index in np.unique(seconds.recordings):
        recording, rows = manifest[index], np.flatnonzero(seconds.recordings == index)
        if recording.textgrid is not None and recording.is_cry:
            line = np.zeros(len(rows) * MARKS_HZ, np.float32)
            for start, end in cry_intervals(recording.textgrid):
                line[round(start * MARKS_HZ) : round(end * MARKS_HZ)] = 1.0
            marks[rows] = line.reshape(-1, MARKS_HZ)
        else:
            label = seconds.labels[rows[0]]
            marks[rows] = np.nan if label == UNKNOWN else label
    return marks.reshape(-1)


def _sorts(seconds: Seconds, manifest: list[Recording]) -> NDArray[np.str_]:
    sorts = []
    for index, label in zip(seconds.recordings, seconds.labels, strict=True):
        recording = manifest[index]
        if not recording.is_cry:
            sorts.append(recording.kind)
        elif recording.textgrid is None:
            sorts.append(
                "cry recording, not marked" if label == UNKNOWN else "cry, whole recording"
            )
        else:
            sorts.append(
                {OTHER: "between cries", UNKNOWN: "edge of a cry"}.get(label, "cry, marked")
            )
    return np.array(sorts, dtype=np.str_)


def _weights(sorts: NDArray[np.str_]) -> NDArray[np.float64]:
    names, numbers, counts = np.unique(sorts, return_inverse=True, return_counts=True)
    shares = np.array([SHARES.get(name, 0.0) for name in names])
    rest = np.array([HARD_KINDS.get(name, 1.0) for name in names]) * np.sqrt(counts)
    others = np.array([name not in SHARES for name in names])
    shares[others] = OTHER_SHARE * rest[others] / rest[others].sum()
    weights = (shares / counts)[numbers]
    return weights / weights.sum()


def _pcm_seconds(invention: Invention) -> NDArray[np.int16]:
    pcm = np.rint(np.clip(invention.waveform, -1, 1) * 32767).astype(np.int16)
    return pcm.reshape(-1, DETECTOR_RATE_HZ)


def _labels(invention: Invention) -> NDArray[np.int8]:
    shares = invention.marks.reshape(-1, MARKS_HZ).mean(axis=1)
    labels = np.full(len(shares), UNKNOWN, np.int8)
    labels[shares >= CRY_SECONDS] = 1
    labels[shares == 0] = OTHER
    return labels


def _sort(invention: Invention) -> str:
    return "cry, invented" if invention.marks.any() else "other, invented"
