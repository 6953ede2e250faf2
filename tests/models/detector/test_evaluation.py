"""The figures are those of the protocol, on seconds whose answer is known."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("tqdm")

from models.corpora.manifest import Recording
from models.detector.data import Seconds
from models.detector.evaluation import figures, report


def recording(is_cry: bool, kind: str, textgrid: Path | None = None) -> Recording:
    return Recording(
        path=Path("x"), is_cry=is_cry, kind=kind, source="s", group="g", split="test", infant="",
        recorded_at="", platform="", textgrid=textgrid,
    )  # fmt: skip


MANIFEST = [recording(True, "cry", Path("t")), recording(False, "dog"), recording(False, "cat")]


def seconds(labels: list[int], recordings: list[int]) -> Seconds:
    none = np.zeros((len(labels), 8), np.int16)
    return Seconds(none, none, np.array(labels, np.int8), np.array(recordings, np.int32))


def test_unknown_seconds_are_left_out():
    scores = np.array([0.9, 0.2, 0.99, 0.1, 0.6], np.float32)
    result = figures(scores, seconds([1, 0, -1, 0, 0], [0, 0, 0, 1, 2]), MANIFEST)
    assert (result["seconds"], result["cry_seconds"]) == (4, 1)
    assert result["auc"] == 1.0
    assert result["best_f1"] == pytest.approx(1.0)
    assert result["accuracy"] == pytest.approx(0.75)
    assert (result["precision"], result["recall"]) == (0.5, 1.0)


def test_false_alarms_are_counted_by_clip_and_kind():
    scores = np.array([0.9, 0.2, 0.7, 0.8, 0.1], np.float32)
    result = figures(scores, seconds([1, 0, 0, 0, 0], [0, 0, 1, 1, 2]), MANIFEST)
    assert result["false_alarm_clips"] == {"cat": [0, 1], "dog": [1, 1]}
    assert "dog 1/1" in report(result, "test")


def test_seconds_inside_cry_files_are_measured_by_themselves():
    scores = np.array([0.3, 0.8, 0.1, 0.2], np.float32)
    result = figures(scores, seconds([1, 0, 0, 0], [0, 0, 1, 2]), MANIFEST)
    assert result["auc_inside_cry_files"] == 0.0
    assert result["auc"] > 0.6
