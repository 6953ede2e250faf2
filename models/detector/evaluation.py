"""Measures the exported detector, second by second and clip by clip, through the runtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_auc_score

from models.corpora.labels import CRY, CRY_SECONDS, OTHER, ROUNDING_SECONDS, UNKNOWN
from models.corpora.manifest import Recording
from models.detector.calibration import expected_calibration_error
from models.detector.conditions import Condition
from models.detector.data import Seconds, as_float
from models.detector.runtime import CryDetector
from models.detector.windows import MARKS_HZ, marks_of
from models.features import DETECTOR_RATE_HZ

THRESHOLD = 0.5


def evaluate(weights: Path, seconds: Seconds) -> NDArray[np.float32]:
    """The scores of all seconds: float32 [seconds]."""
    detector = CryDetector(weights)
    return scores_of(detector, as_float(seconds.waveforms), seconds.recordings)


def scores_of(
    detector: CryDetector, waveforms: NDArray[np.float32], recordings: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Scores of float32 [seconds, 8000], each after the seconds of its recording before it."""
    features = detector.features(waveforms, DETECTOR_RATE_HZ)
    windows = np.empty((len(features), detector.context_seconds, features.shape[1]), np.float32)
    for recording in np.unique(recordings):
        rows = np.flatnonzero(recordings == recording)
        for place, row in enumerate(rows):
            windows[row] = detector.window(features[rows[: place + 1]])
    return detector.scores(windows)


def figures(
    scores: NDArray[np.float32], seconds: Seconds, manifest: list[Recording]
) -> dict[str, object]:
    """All figures of one split; the protocol is in the model card."""
    labels = seconds.labels
    known = labels != UNKNOWN
    best_f1, threshold = best_f1_of(scores[known], labels[known] == CRY)
    marked = np.array([manifest[i].textgrid is not None for i in seconds.recordings]) & known
    clips = np.unique(seconds.recordings)
    clip_scores = np.array([scores[seconds.recordings == clip].max() for clip in clips])
    clip_labels = np.array([manifest[clip].is_cry for clip in clips])
    said, true = scores[known] >= THRESHOLD, labels[known] == CRY
    return {
        "seconds": int(known.sum()),
        "cry_seconds": int(true.sum()),
        "auc": auc_of(scores[known], true),
        "accuracy": float((said == true).mean()),
        "precision": float((said & true).sum() / max(1, said.sum())),
        "recall": float((said & true).sum() / max(1, true.sum())),
        "best_f1": best_f1,
        "best_f1_threshold": threshold,
        "accuracy_there": float(((scores[known] >= threshold) == true).mean()),
        "calibration_error": expected_calibration_error(scores[known], true),
        "auc_inside_cry_files": auc_of(scores[marked], labels[marked] == CRY),
        "non_cry_seconds_inside_cry_files": int((labels[marked] == OTHER).sum()),
        "clip_auc": auc_of(clip_scores, clip_labels),
        "false_alarm_clips": _alarms(clips, clip_scores, manifest),
        "missed_cry_seconds": _missed(scores, seconds, manifest),
    }


def auc_of(scores: NDArray[np.floating], cries: NDArray[np.bool_]) -> float:
    """Area under the ROC curve; nan where all are of one class."""
    return float(roc_auc_score(cries, scores)) if np.ptp(cries.astype(int)) else float("nan")


def best_f1_of(scores: NDArray[np.floating], cries: NDArray[np.bool_]) -> tuple[float, float]:
    """The best F1 over all thresholds, and its threshold."""
    precision, recall, thresholds = precision_recall_curve(cries, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1[:-1].argmax())
    return float(f1[best]), float(thresholds[best])


def _alarms(
    clips: NDArray[np.int32], clip_scores: NDArray[np.float32], manifest: list[Recording]
) -> dict[str, list[int]]:
    """By kind of other sound: clips with a second at 0.5 or above, and clips."""
    alarms: dict[str, list[int]] = {}
    for clip, score in zip(clips, clip_scores, strict=True):
        if not manifest[clip].is_cry:
            counts = alarms.setdefault(manifest[clip].kind, [0, 0])
            counts[0] += int(score >= THRESHOLD)
            counts[1] += 1
    return dict(sorted(alarms.items()))


def _missed(
    scores: NDArray[np.float32], seconds: Seconds, manifest: list[Recording]
) -> dict[str, list[int]]:
    """By where a cry comes from: its seconds under 0.5, and its seconds."""
    missed: dict[str, list[int]] = {}
    for row in np.flatnonzero(seconds.labels == CRY):
        recording = manifest[seconds.recordings[row]]
        counts = missed.setdefault(f"{recording.source} {recording.platform}".strip(), [0, 0])
        counts[0] += int(scores[row] < THRESHOLD)
        counts[1] += 1
    return dict(sorted(missed.items()))


@dataclass(frozen=True)
class Row:
    """What is left of the detector under one condition."""

    condition: str
    auc: float
    best_f1: float
    accuracy: float
    recall: float
    false_alarms: float
    auc_inside: float


def under(
    condition: Condition,
    detector: CryDetector,
    seconds: Seconds,
    manifest: list[Recording],
    chosen: NDArray[np.bool_] | None = None,
) -> Row:
    """The detector on recordings that were changed: all, or those of `chosen` seconds alone."""
    shift = round(condition.shift_seconds * DETECTOR_RATE_HZ)
    waveforms = np.empty(seconds.waveforms.shape, np.float32)
    for recording in np.unique(seconds.recordings):
        rows = np.flatnonzero(seconds.recordings == recording)
        whole = as_float(seconds.waveforms[rows]).reshape(-1)
        if chosen is not None and not chosen[rows[0]]:
            waveforms[rows] = whole.reshape(-1, DETECTOR_RATE_HZ)
            continue
        changed = condition.change(whole, np.random.default_rng(int(recording)))
        changed = np.concatenate([changed[shift:], np.zeros(shift, np.float32)])
        waveforms[rows] = changed.reshape(-1, DETECTOR_RATE_HZ)
    labels = seconds.labels if not shift else _shifted(seconds, manifest, condition.shift_seconds)
    return row_of(condition.name, scores_of(detector, waveforms, seconds.recordings), labels,
                  seconds, manifest)  # fmt: skip


def row_of(
    name: str,
    scores: NDArray[np.float32],
    labels: NDArray[np.int8],
    seconds: Seconds,
    manifest: list[Recording],
) -> Row:
    """A row from scores: float32 [seconds], and labels of the same seconds."""
    known = labels != UNKNOWN
    marked = np.array([manifest[i].textgrid is not None for i in seconds.recordings]) & known
    cries, said = labels[known] == CRY, scores[known] >= THRESHOLD
    return Row(
        condition=name,
        auc=auc_of(scores[known], cries),
        best_f1=best_f1_of(scores[known], cries)[0],
        accuracy=float((said == cries).mean()),
        recall=float(said[cries].mean()),
        false_alarms=float(said[~cries].mean()),
        auc_inside=auc_of(scores[marked], labels[marked] == CRY),
    )


def _shifted(seconds: Seconds, manifest: list[Recording], shift: float) -> NDArray[np.int8]:
    """Labels of the seconds that begin `shift` later; the last of a recording has none."""
    marks = marks_of(seconds, manifest)
    later = np.concatenate(
        [marks[round(shift * MARKS_HZ) :], np.full(round(shift * MARKS_HZ), np.nan)]
    )
    share = later.reshape(-1, MARKS_HZ).mean(axis=1)
    labels = np.full(len(share), UNKNOWN, np.int8)
    labels[share >= CRY_SECONDS - ROUNDING_SECONDS] = CRY
    labels[share == 0] = OTHER
    last = np.append(seconds.recordings[1:] != seconds.recordings[:-1], True)
    labels[last] = UNKNOWN
    return labels


def report(result: dict[str, object], split: str) -> str:
    """The figures as text."""
    lines = [f"Detector on {split}:"]
    for name, value in result.items():
        if isinstance(value, dict):
            errors = ", ".join(f"{k} {some}/{n}" for k, (some, n) in value.items() if some)
            lines.append(f"  {name:34} {errors or 'none'}")
        else:
            text = f"{value:.4f}" if isinstance(value, float) else str(value)
            lines.append(f"  {name:34} {text}")
    return "\n".join(lines)


def table(rows: Sequence[Row]) -> str:
    """Rows as text, one a condition."""
    head = f"{'condition':36} AUC    F1     acc    recall false  inside"
    lines = [
        f"{row.condition:36} {row.auc:.3f}  {row.best_f1:.3f}  {row.accuracy:.3f}  "
        f"{row.recall:.3f}  {row.false_alarms:.3f}  {row.auc_inside:.3f}"
        for row in rows
    ]
    return "\n".join([head, *lines])
