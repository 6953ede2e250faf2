"""The segment bench counts what the stream's segmenter emits against the marks."""

from pathlib import Path

import pytest

from bench.segments import bouts_of, count, segments_of
from models.corpora.manifest import Recording
from streams.segments import SegmentRules

RULES = SegmentRules(onset_score=0.5, offset_score=0.3, hangover_seconds=2, minimum_seconds=1)


def recording(is_cry: bool, kind: str, textgrid: Path | None = None) -> Recording:
    return Recording(
        path=Path("x"), is_cry=is_cry, kind=kind, source="s", group="g", split="val", infant="",
        recorded_at="", platform="", textgrid=textgrid,
    )  # fmt: skip


def test_segments_are_those_of_the_stream():
    scores = [0.1, 0.9, 0.8, 0.1, 0.1, 0.1, 0.6, 0.4]
    assert list(segments_of(scores, RULES)) == [(1, 3), (6, 8)]


def test_a_breath_joins_and_a_click_does_not_count():
    marked = [(5.0, 6.0), (0.0, 1.0), (2.5, 3.0), (9.0, 9.1)]
    assert bouts_of(marked) == [(0.0, 6.0)]
    assert bouts_of([(0.0, 1.0), (3.1, 4.0)]) == [(0.0, 1.0), (3.1, 4.0)]


def test_right_missed_late_and_false_are_told_apart(tmp_path):
    marks = tmp_path / "m.TextGrid"
    marks.write_text('xmin = 1.2\nxmax = 3\ntext = "cry"\nxmin = 12\nxmax = 14\ntext = "cry"\n')
    scores = [0.1, 0.2, 0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.1]
    result = count(
        [
            (recording(True, "cry", marks), scores),
            (recording(False, "cat"), [0.9, 0.1, 0.1, 0.1, 0.9]),
            (recording(False, "dog"), [0.1] * 5),
            (recording(True, "cry"), [0.9] * 5),
        ],
        RULES,
    )
    assert (result.right, result.emitted) == (1, 2)
    assert (result.heard, result.cries) == (1, 2)
    assert result.delays == [pytest.approx(1.8)]
    assert (result.false_alarms.total(), result.other_seconds) == (2, 10)
    assert result.false_alarms["cat"] == 2
    assert "false a day 17280 (2 in 10 s)" in result.line()
