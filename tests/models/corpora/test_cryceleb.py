"""CryCeleb's metadata becomes expirations, or one sentence that says what is wrong."""

import pytest

from models.corpora.cryceleb import read_cryceleb
from models.corpora.manifest import CorpusError

HEADER = "baby_id,period,duration,split,chronological_index,file_name,file_id\n"


def corpus(tmp_path, rows, header=HEADER):
    (tmp_path / "metadata.csv").write_text(header + rows)
    return tmp_path


def test_a_row_becomes_an_expiration(tmp_path):
    row = "0694,D,0.9,dev,13.0,audio/dev/0694/D/x.wav,7\n"
    (expiration,) = read_cryceleb(corpus(tmp_path, row))
    assert expiration.path == tmp_path / "audio/dev/0694/D/x.wav"
    assert (expiration.infant, expiration.period) == ("0694", "D")
    assert (expiration.index, expiration.split) == (13, "val")


def test_expirations_come_in_the_order_in_which_they_were_cried(tmp_path):
    rows = [f"01,{period},0.9,train,{index},x.wav,7\n" for period in "DB" for index in (10, 9)]
    found = read_cryceleb(corpus(tmp_path, "".join(rows)))
    assert [(e.period, e.index) for e in found] == [("B", 9), ("B", 10), ("D", 9), ("D", 10)]


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ("0694,D\n", "baby_id,period\n", "file_name"),
        ("0694,X,0.9,dev,1,x.wav,7\n", HEADER, "period 'X'"),
        ("0694,B,0.9,holdout,1,x.wav,7\n", HEADER, "holdout"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, rows, header, said):
    with pytest.raises(CorpusError, match=said):
        read_cryceleb(corpus(tmp_path, rows, header))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"metadata\.csv"):
        read_cryceleb(tmp_path)
