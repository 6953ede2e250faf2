"""The manifest becomes recordings, or one sentence that says what is wrong."""

import pytest

from models.corpora.manifest import CorpusError, corpus_folder, read_manifest

HEADER = "path,label,kind,source,group,split,infant,recorded_at,platform,textgrid\n"


def corpus(tmp_path, rows: str):
    (tmp_path / "manifest.csv").write_text(HEADER + rows)
    return tmp_path


def test_a_row_becomes_a_recording(tmp_path):
    rows = "a/x.3gp,cry,cry,home,g1,train,i1,2015-04-01T10:00:00Z,android,tg/x.TextGrid\n"
    (recording,) = read_manifest(corpus(tmp_path, rows))
    assert recording.path == tmp_path / "a/x.3gp"
    assert recording.textgrid == tmp_path / "tg/x.TextGrid"
    assert recording.is_cry
    assert (recording.split, recording.infant, recording.group) == ("train", "i1", "g1")


def test_what_is_not_a_cry_needs_no_infant_and_no_intervals(tmp_path):
    (recording,) = read_manifest(corpus(tmp_path, "b.opus,other,dog,home,g2,test,,,,\n"))
    assert not recording.is_cry
    assert recording.textgrid is None
    assert recording.infant == ""


def test_a_missing_column_is_named(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,label\nx.wav,cry\n")
    with pytest.raises(CorpusError, match="kind"):
        read_manifest(tmp_path)


def test_the_variable_must_be_set(monkeypatch):
    monkeypatch.delenv("VAGITUS_DATA", raising=False)
    with pytest.raises(CorpusError, match="Set VAGITUS_DATA"):
        corpus_folder()


def test_the_folder_must_hold_a_manifest(monkeypatch, tmp_path):
    monkeypatch.setenv("VAGITUS_DATA", str(tmp_path))
    with pytest.raises(CorpusError, match=r"no manifest\.csv"):
        corpus_folder()
    corpus(tmp_path, "")
    assert corpus_folder() == tmp_path
