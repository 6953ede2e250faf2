"""Three sorts of corpora become the same recordings of infants."""

import numpy as np
import pytest
import soundfile

pytest.importorskip("tqdm")

from models.identity.readers import (
    READERS,
    UNKNOWN_GAP_MS,
    cached_cry_frames,
    read_cryceleb_cries,
    read_donateacry,
    read_folder,
)
from models.identity.verification import Owner, all_trials

RATE_HZ = 16_000


def sound(*parts):
    """Noise in parts of (seconds, level in dBFS)."""
    rng = np.random.default_rng(0)
    return np.concatenate(
        [10 ** (dbfs / 20) * rng.standard_normal(round(s * RATE_HZ)) for s, dbfs in parts]
    ).astype(np.float32)


def test_the_corpus_names_the_infant_of_each_cry(corpus):
    recordings = read_donateacry(corpus, ["val"])
    assert [r.path for r in recordings] == ["marked.wav", "doubtful.wav"]
    assert [r.likely for r in recordings] == [True, False]
    assert recordings[0].owner == Owner("a-f", "a", "ios", 1_428_000_000_000)
    assert [len(cry) for cry in recordings[0].cries] == [2 * RATE_HZ]


def test_frames_are_the_same_from_the_cache(corpus, tmp_path):
    (fresh,) = cached_cry_frames(corpus, "donateacry", "val", tmp_path / "runs")
    (corpus / "manifest.csv").unlink()
    (kept,) = cached_cry_frames(corpus, "donateacry", "val", tmp_path / "runs")
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


@pytest.fixture
def cryceleb(tmp_path):
    """Two dev infants, each with two expirations at birth and one at discharge; one of train."""
    rows = ["baby_id,period,duration,split,chronological_index,file_name,file_id"]
    for infant, split in (("0001", "dev"), ("0002", "dev"), ("0003", "train")):
        # Written last to first: the index gives the order.
        for period, index in (("B", 1), ("B", 0), ("D", 0)):
            name = f"audio/{split}/{infant}/{period}/{infant}_{period}_{index}.wav"
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            level = np.full(round(0.4 * RATE_HZ), 0.1 * (index + 1), np.float32)
            soundfile.write(tmp_path / name, level if period == "B" else sound((1, -20)), RATE_HZ)
            rows.append(f"{infant},{period},0.4,{split},{index},{name},{len(rows)}")
    (tmp_path / "metadata.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_expirations_of_a_period_are_one_recording_in_their_order(cryceleb):
    birth, discharge, *_ = read_cryceleb_cries(cryceleb, ["val"])
    assert (birth.path, discharge.path) == ("0001/B", "0001/D")
    (cry,) = birth.cries
    assert len(cry) == round(0.8 * RATE_HZ)
    assert cry[0] == pytest.approx(0.1, abs=1e-3)
    assert cry[-1] == pytest.approx(0.2, abs=1e-3)


def test_every_birth_meets_every_discharge_and_no_other_birth(cryceleb):
    recordings = read_cryceleb_cries(cryceleb, ["val"])
    trials = all_trials([r.owner for r in recordings])
    asked = {
        (recordings[i].path, recordings[j].path): bool(same)
        for i, j, same in zip(trials.first, trials.second, trials.same, strict=True)
    }
    assert asked == {
        ("0001/B", "0001/D"): True,
        ("0001/B", "0002/D"): False,
        ("0001/D", "0002/B"): False,
        ("0002/B", "0002/D"): True,
    }


def test_an_infant_of_another_split_is_not_read(cryceleb):
    assert {r.owner.infant for r in read_cryceleb_cries(cryceleb, ["train"])} == {"0003"}


@pytest.fixture
def folders(tmp_path):
    """Two infants in two formats: one with times in its files' names, one without."""
    for name, file in (
        ("anna", "2024-05-01T22-10-00.flac"),
        ("anna", "2024-05-01T22-50-00.flac"),
        ("ben", "first.wav"),
        ("ben", "second.ogg"),
    ):
        (tmp_path / name).mkdir(exist_ok=True)
        soundfile.write(tmp_path / name / file, sound((1, -60), (1, -15)), 8_000)
    (tmp_path / "notes.txt").write_text("no infant")
    return tmp_path


def test_a_folder_of_infants_is_read_whatever_the_format(folders):
    recordings = read_folder(folders, ["train", "val", "test"])
    assert [r.path for r in recordings] == [
        "anna/2024-05-01T22-10-00.flac",
        "anna/2024-05-01T22-50-00.flac",
        "ben/first.wav",
        "ben/second.ogg",
    ]
    # Half of each is loud: a second of samples, written as if at 8 kHz, lasts two.
    assert all(
        len(cry) == pytest.approx(2 * RATE_HZ, abs=3200) for r in recordings for cry in r.cries
    )


def test_times_come_from_names_or_else_lie_a_day_apart(folders):
    times = [r.owner.recorded_at_ms for r in read_folder(folders, ["train", "val", "test"])]
    assert np.diff(times)[[0, 2]].tolist() == [40 * 60_000, UNKNOWN_GAP_MS]


@pytest.mark.parametrize(("reader", "fixture"), [("cryceleb", "cryceleb"), ("folder", "folders")])
def test_every_reader_feeds_the_cache(reader, fixture, tmp_path, request):
    corpus = request.getfixturevalue(fixture)
    for split in ("train", "val", "test"):
        expected = READERS[reader](corpus, [split])
        for _ in range(2):
            got = cached_cry_frames(corpus, reader, split, tmp_path / ".runs")
            assert [g.owner for g in got] == [r.owner for r in expected]
            assert all(g.frames.shape[1] == 80 and len(g.frames) > 50 for g in got)
