"""A folder of folders becomes recordings of infants."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from models.corpora.infants import read_infants, split_of, time_in
from models.corpora.manifest import CorpusError


def test_a_folder_is_an_infant_and_a_file_in_it_a_recording(tmp_path):
    for name in ("anna/b.wav", "anna/a.wav", "anna/.hidden", "ben/a.wav", ".cache/x.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "readme.txt").touch()
    found = read_infants(tmp_path)
    assert [(r.infant, r.path.name) for r in found] == [
        ("anna", "a.wav"),
        ("anna", "b.wav"),
        ("ben", "a.wav"),
    ]
    assert found[0].split == found[1].split == split_of("anna")


def test_splits_are_drawn_seven_one_two():
    shares = Counter(split_of(f"infant-{i}") for i in range(5000))
    assert shares["train"] == pytest.approx(3500, abs=150)
    assert shares["val"] == pytest.approx(500, abs=100)
    assert shares["test"] == pytest.approx(1000, abs=120)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("2024-05-01T22-10-07", (2024, 5, 1, 22, 10, 7)),
        ("cot3_20240501_2210", (2024, 5, 1, 22, 10, 0)),
        ("2024-05-01 22:10:07Z", (2024, 5, 1, 22, 10, 7)),
        ("2024-02-31T22-10-07", None),
        ("cry 12", None),
    ],
)
def test_a_time_is_read_in_a_name(name, moment):
    assert time_in(name) == (moment and datetime(*moment, tzinfo=UTC))


def test_a_folder_without_infants_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(CorpusError, match=r"infant/recording\.wav"):
        read_infants(tmp_path)
    with pytest.raises(CorpusError, match="cannot be read"):
        read_infants(tmp_path / "nowhere")
