"""`vagitus evaluate`: the stream's segments on a corpus."""

import json

import pytest

from tests.streams.ward import BEFORE_SECONDS, record_room

HEADER = "path,label,kind,source,group,split,infant,recorded_at,platform,textgrid\n"
MARK = 'xmin = {} \n xmax = {} \n text = "cry" \n'


@pytest.fixture
def corpus(cry, tmp_path, vagitus, monkeypatch):
    """A marked cry, a quiet room, a recording that is too short, and one of another split."""
    record_room(tmp_path / "room.wav", 6.0)
    record_room(tmp_path / "short.wav", 0.2)
    (tmp_path / "cry.TextGrid").write_text(MARK.format(BEFORE_SECONDS, BEFORE_SECONDS + 4))
    (tmp_path / "manifest.csv").write_text(
        HEADER
        + "cry.wav,cry,cry,home,g1,val,i1,,,cry.TextGrid\n"
        + "room.wav,other,room,home,g2,val,,,,\n"
        + "short.wav,other,room,home,g3,val,,,,\n"
        + "missing.wav,other,room,home,g4,test,,,,\n"
    )
    monkeypatch.setenv("VAGITUS_DATA", str(tmp_path))


def test_a_marked_cry_is_found_and_a_quiet_room_gives_no_segment(corpus, vagitus):
    status, page, errors = vagitus("evaluate", "--json")
    figures = json.loads(page)
    assert status == 0
    assert (figures["episodes"], figures["found_episodes"], figures["right_segments"]) == (1, 1, 1)
    assert (figures["other_seconds"], figures["false_segments"]) == (6, {"room": 0})
    assert 1 <= figures["delay_median_seconds"] < 2.5
    assert "Left out" in errors
    assert "short.wav" in errors


def test_the_table_says_how_much_sound_without_a_cry_was_heard(corpus, vagitus):
    _, page, _ = vagitus("evaluate", "--quiet")
    assert "0 false segments in 0.00 h without a cry: none." in page


def test_of_all_rules_those_remain_that_no_other_beats(corpus, vagitus):
    status, page, _ = vagitus("evaluate", "--tune", "--quiet")
    assert status == 0
    (best,) = [line for line in page.splitlines() if " s " in line]
    assert "1.000" in best
    assert best.split()[-1] == "0"


def test_without_a_corpus_it_says_what_to_set(vagitus):
    status, _, errors = vagitus("evaluate")
    assert (status, errors) == (
        1,
        "vagitus: Set VAGITUS_DATA to the folder that holds manifest.csv.\n",
    )
