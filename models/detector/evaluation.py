"""Measures the exported detector, second by second and clip by clip, through the runtime."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_auc_score

from models.corpora.labels import CRY, OTHER, UNKNOWN
from models.corpora.manifest import Recording
from models.detector.data import Seconds, as_float
from models.detector.runtime import CryDetector
from models.features import DETECTOR_RATE_HZ

THRESHOLD = 0.5


def evaluate(weights: Path, seconds: Seconds) -> NDArray[np.float32]:
    """The scores of all seconds: float32 [seconds]."""
    detector = CryDetector(weights, threads=2)
    features = detector.features(as_float(seconds.waveforms), DETECTOR_RATE_HZ)
    scores = np.empty(len(features), np.float32)
    for recording in np.unique(seconds.recordings):
        rows = np.flatnonzero(seconds.recordings == recording)
        windows = [detector.window(features[rows[: i + 1]]) for i in range(len(rows))]
        scores[rows] = detector.scores(np.stack(windows))
    return scores


def figures(
    scores: NDArray[np.float32], seconds: Seconds, manifest: list[Recording]
) -> dict[str, object]:
    """All figures of one split; the protocol is in the model card."""
    labels = seconds.labels
    known = labels != UNKNOWN
    precision, recall, thresholds = precision_recall_curve(labels[known], scores[known])
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1[:-1].argmax())
    marked = np.array([manifest[i].textgrid is not None for i in seconds.recordings]) & known
    clips = np.unique(seconds.recordings)
    clip_scores = np.array([scores[seconds.recordings == clip].max() for clip in clips])
    clip_labels = np.array([manifest[clip].is_cry for clip in clips])
    alarms: dict[str, list[bool]] = {}
    for clip, score in zip(clips, clip_scores, strict=True):
        if not manifest[clip].is_cry:
            alarms.setdefault(manifest[clip].kind, []).append(bool(score >= THRESHOLD))
    said = scores[known] >= THRESHOLD
    true = labels[known] == CRY
    return {
        "seconds": int(known.sum()),
        "cry_seconds": int((labels == CRY).sum()),
        "auc": float(roc_auc_score(labels[known], scores[known])),
        "accuracy": float((said == true).mean()),
        "precision": float((said & true).sum() / max(1, said.sum())),
        "recall": float((said & true).sum() / max(1, true.sum())),
        "best_f1": float(f1[best]),
        "best_f1_threshold": float(thresholds[best]),
        "auc_inside_cry_files": float(roc_auc_score(labels[marked], scores[marked])),
        "non_cry_seconds_inside_cry_files": int((labels[marked] == OTHER).sum()),
        "clip_auc": float(roc_auc_score(clip_labels, clip_scores)),
        "false_alarm_clips": {
            kind: [int(sum(said)), len(said)] for kind, said in sorted(alarms.items())
        },
    }


def report(result: dict[str, object], split: str) -> str:
    """The figures as text."""
    lines = [f"Detector on {split}:"]
    for name, value in result.items():
        if isinstance(value, dict):
            alarms = ", ".join(f"{k} {a}/{n}" for k, (a, n) in value.items() if a)
            lines.append(f"  {name:34} {alarms or 'none'}")
        else:
            lines.append(f"  {name:34} {value:.4f}" if isinstance(value, float) else
                         f"  {name:34} {value}")  # fmt: skip
    return "\n".join(lines)
