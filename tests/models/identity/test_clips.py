"""Cries are found where they were marked, or where it is loud."""

import numpy as np
import pytest
import soundfile

pytest.importorskip("tqdm")

from models.identity.clips import (
    cached_cry_frames,
    cut_cries,
    loud_stretches,
    marked_stretches,
    read_recordings,
)
from models.identity.verification import Owner

RATE_HZ = 16_000


def sound(*parts):
    """Noise in parts of (seconds, level in dBFS)."""
    rng = np.random.default_rng(0)
    return np.concatenate(
        [10 ** (dbfs / 20) * rng.standard_normal(round(s * RATE_HZ)) for s, dbfs in parts]
    ).astype(np.float32)


def test_a_breath_joins_and_a_pause_divides():
    marks = [(0.2, 1.0), (1.6, 2.4), (4.0, 5.0)]
    assert marked_stretches(marks, 7.0) == [(0.2, 2.4), (4.0, 5.0)]


def test_what_is_too_short_to_embed_is_left_out():
    assert marked_stretches([(0.0, 0.4), (3.0, 3.5)], 7.0) == [(3.0, 3.5)]


def test_marks_beyond_the_end_are_cut():
    assert marked_stretches([(6.0, 9.0)], 7.0) == [(6.0, 7.0)]


def test_no_marks_no_cries():
    assert marked_stretches([], 7.0) == []


def test_the_loud_part_is_found():
    ((start, end),) = loud_stretches(sound((2, -50), (1.5, -15), (2, -50)), RATE_HZ)
    assert start == pytest.approx(2.0, abs=0.11)
    assert end == pytest.approx(3.5, abs=0.11)


@pytest.mark.parametrize("waveform", [sound((3, -80)), np.zeros(0, np.float32)])
def test_nothing_is_found_in_silence(waveform):
    assert loud_stretches(waveform, RATE_HZ) == []


def test_cries_are_cut_where_they_were_marked():
    waveform = np.arange(4 * RATE_HZ, dtype=np.float32)
    (cry,) = cut_cries(waveform, [(1.0, 1.4), (1.5, 2.0)])
    assert (cry[0], len(cry)) == (RATE_HZ, RATE_HZ)
    assert cut_cries(waveform, []) == []


def test_the_corpus_names_the_infant_of_each_cry(corpus):
    recordings = read_recordings(corpus, ["val"])
    assert [r.path for r in recordings] == ["marked.wav", "doubtful.wav"]
    assert [r.likely for r in recordings] == [True, False]
    assert recordings[0].owner == Owner("a-f", "a", "ios", 1_428_000_000_000)
    assert [len(cry) for cry in recordings[0].cries] == [2 * RATE_HZ]


def test_frames_are_the_same_from_the_cache(corpus, tmp_path):
    cache = tmp_path / "runs" / "val.npz"
    (fresh,) = cached_cry_frames(corpus, "val", cache)
    (corpus / "manifest.csv").unlink()
    (kept,) = cached_cry_frames(corpus, "val", cache)
    assert kept.owner == fresh.owner
    assert np.array_equal(kept.frames, fresh.frames)
    assert kept.frames.shape == (201, 80)


@pytest.fixture
def corpus(tmp_path):
    """A marked cry at 8 kHz, one that nobody marked nor heard, silence, and another source."""
    soundfile.write(tmp_path / "marked.wav", sound((4, -20))[: 4 * 8_000], 8_000)
    soundfile.write(tmp_path / "doubtful.wav", sound((1, -20), (2, -60)), RATE_HZ)
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE_HZ, np.float32), RATE_HZ)
    (tmp_path / "marked.TextGrid").write_text(
        'xmin = 0\nxmax = 4\nintervals [1]:\n xmin = 1.0\n xmax = 3.0\n text = "cry"\n'
    )
    columns = "path,label,kind,source,group,split,infant,recorded_at,platform,textgrid,yamnet_cry"
    rows = [
        "marked.wav,cry,cry,donateacry,a,val,a-f,2015-04-02T18:40:00Z,ios,marked.TextGrid,0.0",
        "doubtful.wav,cry,cry,donateacry,b,val,b-m,2015-04-02T18:40:00Z,ios,,0.1",
        "silent.wav,cry,cry,donateacry,c,val,c-m,2015-04-02T18:40:00Z,ios,,0.9",
        "marked.wav,cry,cry,donateacry,d,test,d-m,2015-04-02T18:40:00Z,ios,,0.9",
        "marked.wav,cry,cry,giulbia,e,val,,,,,0.9",
    ]
    (tmp_path / "manifest.csv").write_text("\n".join([columns, *rows]) + "\n")
    return tmp_path
