"""The corpus is cut into seconds with two spectrograms each, and read once."""

import numpy as np
import pytest

pytest.importorskip("tqdm")

from models.detector.paper.corpus import cut_seconds, load_corpus


def test_every_second_has_both_spectrograms(corpus, tmp_path):
    loaded = load_corpus(corpus, "val", tmp_path / "cache")
    assert loaded.log_mels.shape == (42, 64, 64)
    assert loaded.vggish_mels.shape == (42, 96, 64)
    assert {loaded.manifest[i].split for i in loaded.recordings} == {"val"}
    marked = np.array([loaded.manifest[i].textgrid is not None for i in loaded.recordings])
    assert loaded.labels[marked].tolist()[:7] == [1, 1, 1, 0, 0, 0, 0]


def test_the_sound_is_read_once_until_the_manifest_changes(corpus, tmp_path):
    first = load_corpus(corpus, "test", tmp_path / "cache")
    for path in corpus.glob("*.wav"):
        path.unlink()
    second = load_corpus(corpus, "test", tmp_path / "cache")
    np.testing.assert_array_equal(first.log_mels, second.log_mels)
    manifest = corpus / "manifest.csv"
    header = manifest.read_text().splitlines()[0]
    manifest.write_text(header + "\n")
    assert len(load_corpus(corpus, "test", tmp_path / "cache").labels) == 0


@pytest.mark.parametrize(
    ("samples", "seconds"), [(3999, 0), (4000, 1), (8000, 1), (11_999, 1), (12_000, 2)]
)
def test_half_a_second_left_over_is_padded_and_less_is_cut_off(samples, seconds):
    cut = cut_seconds(np.ones(samples, np.float32), 8000)
    assert cut.shape == (seconds, 8000)
    if seconds:
        assert cut[-1, -1] == (1 if samples % 8000 < 4000 else 0)
