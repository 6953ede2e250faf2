"""The figures are those of the protocol, on seconds whose answer is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("tqdm")

from models.corpora.manifest import Recording
from models.detector.conditions import Condition
from models.detector.data import Seconds
from models.detector.evaluation import auc_of, figures, report, scores_of, table, under


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


def test_missed_seconds_of_cries_are_counted_by_where_they_come_from():
    scores = np.array([0.9, 0.2, 0.1, 0.7], np.float32)
    manifest = [
        replace(MANIFEST[0], source="phones", platform="ios"),
        replace(MANIFEST[0], source="home"),
        MANIFEST[1],
    ]
    result = figures(scores, seconds([1, 1, 1, 0], [0, 0, 1, 2]), manifest)
    assert result["missed_cry_seconds"] == {"home": [1, 1], "phones ios": [1, 2]}


def test_seconds_inside_cry_files_are_measured_by_themselves():
    scores = np.array([0.3, 0.8, 0.1, 0.2], np.float32)
    result = figures(scores, seconds([1, 0, 0, 0], [0, 0, 1, 2]), MANIFEST)
    assert result["auc_inside_cry_files"] == 0.0
    assert result["auc"] > 0.6


class Loud:
    """A detector by loudness, with the shape of the real one."""

    context_seconds, version = 2, "loud"

    def features(self, waveforms, rate):
        assert rate == 8000
        return np.abs(waveforms).mean(axis=1, keepdims=True).repeat(4, axis=1)

    def window(self, history):
        last = list(history[-2:])
        return np.stack([last[0]] * (2 - len(last)) + last)

    def scores(self, windows):
        return np.clip(2 * windows[:, -1, 0] + windows[:, 0, 1] / 1000, 0, 1)


def sounds(*levels: float) -> Seconds:
    pcm = np.rint(np.array(levels)[:, None] * 32767 * np.ones(8000)).astype(np.int16)
    labels = np.array([1 if level > 0.2 else 0 for level in levels], np.int8)
    return Seconds(pcm, pcm[:0], labels, np.zeros(len(levels), np.int32))


def test_a_second_is_scored_after_those_of_its_recording_alone():
    given = sounds(0.4, 0.1, 0.3)
    waveforms = given.waveforms / 32767
    alone = scores_of(Loud(), waveforms, np.array([0, 1, 2]))
    together = scores_of(Loud(), waveforms, np.array([0, 0, 1]))
    np.testing.assert_allclose(alone, [0.8004, 0.2001, 0.6003], atol=1e-4)
    np.testing.assert_allclose(together, [0.8004, 0.2004, 0.6003], atol=1e-4)


def test_a_condition_changes_what_is_heard_and_chosen_alone():
    given = sounds(0.4, 0.1)
    quieter = Condition("half", lambda wave, rng: wave / 2)
    row = under(quieter, Loud(), given, MANIFEST)
    assert (row.recall, row.accuracy) == (0.0, 0.5)
    untouched = under(quieter, Loud(), given, MANIFEST, np.array([False, False]))
    assert untouched.recall == 1.0


def test_labels_move_along_with_a_later_cut(tmp_path):
    marks = tmp_path / "m.TextGrid"
    marks.write_text('xmin = 1.0\nxmax = 2.0\ntext = "cry"\n')
    manifest = [recording(True, "cry", marks)]
    levels = np.repeat([0.1, 0.1, 0.42, 0.42, 0.1, 0.1, 0.1, 0.1], 4000)
    pcm = np.rint(levels * 32767).astype(np.int16).reshape(4, 8000)
    given = Seconds(pcm, pcm[:0], np.array([0, 1, 0, 0], np.int8), np.zeros(4, np.int32))
    late = Condition("late", lambda wave, rng: wave, shift_seconds=0.5)
    row = under(late, Loud(), given, manifest)
    # From 0.5 to 1.5 s and from 1.5 to 2.5 s there is half a second of cry each.
    assert (row.recall, row.false_alarms, row.accuracy) == (1.0, 0.0, 1.0)
    now = under(Condition("now", lambda wave, rng: wave), Loud(), given, manifest)
    assert (now.recall, now.false_alarms) == (1.0, 0.0)


def test_one_class_has_no_auc():
    assert np.isnan(auc_of(np.array([0.1, 0.2]), np.array([True, True])))
    assert auc_of(np.array([0.1, 0.2]), np.array([False, True])) == 1.0


def test_the_table_has_a_line_for_each_condition():
    row = under(Condition("half", lambda wave, rng: wave / 2), Loud(), sounds(0.4, 0.1), MANIFEST)
    lines = table([row]).splitlines()
    assert lines[1].startswith("half")
    assert len(lines) == 2
