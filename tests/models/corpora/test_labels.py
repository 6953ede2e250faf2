"""Seconds are labelled from marked intervals, or from the whole recording."""

from pathlib import Path

import pytest

from models.corpora.labels import CRY, OTHER, UNKNOWN, cry_intervals, second_labels
from models.corpora.manifest import Recording

TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4.5
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "cry"
        xmin = 0
        xmax = 4.5
        intervals: size = {count}
"""


def write_textgrid(path: Path, intervals: list[tuple[float, float, str]]) -> Path:
    text = TEXTGRID.format(count=len(intervals))
    for number, (start, end, label) in enumerate(intervals, 1):
        text += f"        intervals [{number}]:\n            xmin = {start}\n"
        text += f'            xmax = {end}\n            text = "{label}"\n'
    path.write_text(text)
    return path


def recording(source: str = "donateacry", is_cry: bool = True, textgrid: Path | None = None):
    return Recording(
        path=Path("x.wav"), is_cry=is_cry, kind="cry", source=source, group="g", split="train",
        infant="", recorded_at="", platform="", textgrid=textgrid,
    )  # fmt: skip


def test_only_intervals_marked_cry_count(tmp_path):
    path = write_textgrid(
        tmp_path / "x.TextGrid", [(0, 1.25, "-"), (1.25, 3, "cry"), (3, 4.5, "Cry")]
    )
    assert cry_intervals(path) == [(1.25, 3.0), (3.0, 4.5)]


def test_a_second_is_a_cry_from_three_tenths_on_and_unknown_below(tmp_path):
    path = write_textgrid(
        tmp_path / "x.TextGrid", [(0.0, 0.5, "-"), (0.5, 1.2, "cry"), (1.2, 3.7, "-"),
                                  (3.7, 4.0, "cry")]
    )  # fmt: skip
    labels = second_labels(recording(textgrid=path), 5)
    assert labels.tolist() == [CRY, UNKNOWN, OTHER, CRY, OTHER]


def test_pieces_of_a_second_add_up(tmp_path):
    path = write_textgrid(tmp_path / "x.TextGrid", [(0.0, 0.2, "cry"), (0.5, 0.7, "cry")])
    assert second_labels(recording(textgrid=path), 1).tolist() == [CRY]


def test_an_interval_beyond_the_sound_is_cut(tmp_path):
    path = write_textgrid(tmp_path / "x.TextGrid", [(0.0, 9.0, "cry")])
    assert second_labels(recording(textgrid=path), 2).tolist() == [CRY, CRY]


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (recording(is_cry=False), OTHER),
        (recording(source="giulbia"), CRY),
        (recording(source="donateacry"), UNKNOWN),
    ],
)
def test_without_intervals_the_recording_decides(given, label):
    assert second_labels(given, 3).tolist() == [label] * 3
