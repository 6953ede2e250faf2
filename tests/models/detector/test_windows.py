"""Windows are cut where asked, labelled by the marks under them, and never leave a recording."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tqdm")

from models.corpora.manifest import Recording
from models.detector.data import Seconds
from models.detector.invented import Invention
from models.detector.windows import (
    COPIED_MARKED,
    COPIED_OTHER,
    HISTORY,
    OTHER_SHARE,
    SHARES,
    TrainingSound,
)

RATE = 8000


def recording(is_cry: bool, kind: str, textgrid: Path | None = None) -> Recording:
    return Recording(
        path=Path("x"), is_cry=is_cry, kind=kind, source="s", group="g", split="train", infant="",
        recorded_at="", platform="", textgrid=textgrid,
    )  # fmt: skip


@pytest.fixture
def sound(tmp_path) -> TrainingSound:
    """A marked cry recording (a cry from 1.25 to 2 s), an unmarked one, a cat and a dog."""
    marks = tmp_path / "marks.TextGrid"
    marks.write_text('xmin = 1.25\nxmax = 2\ntext = "cry"\n')
    manifest = [
        recording(True, "cry", marks),
        recording(True, "cry"),
        recording(False, "cat"),
        recording(False, "dog"),
    ]
    # Every sample says in which second it lies, copies are negative.
    numbers = np.arange(1, 11, dtype=np.int16)[:, None] * np.ones(RATE, np.int16)
    seconds = Seconds(
        numbers,
        -numbers,
        labels=np.array([0, 1, 0, -1, -1, 0, 0, 0, 0, 0], np.int8),
        recordings=np.array([0, 0, 0, 1, 1, 2, 2, 3, 3, 3], np.int32),
    )
    cry = Invention(np.full(2 * RATE, 0.5, np.float32), np.repeat([1, 0], 100).astype(np.float32))
    return TrainingSound(seconds, manifest, [cry])


def heard(cut) -> np.ndarray:
    return np.rint(cut.waveforms * 32767).astype(int)


def test_a_window_lies_inside_its_recording_and_silence_lies_before(sound):
    rows = np.array([0, 1, 2, 5, 6] * 30)
    cut = sound.cut(rows, np.random.default_rng(0), copies=0.0)
    windows = heard(cut)[:, HISTORY:]
    assert windows.shape == (150, RATE)
    assert set(np.unique(windows[rows < 3])) == {1, 2, 3}
    assert set(np.unique(windows[rows >= 5])) == {6, 7}
    at_beginning = cut.ends == RATE
    assert at_beginning.any()
    assert not heard(cut)[at_beginning, :HISTORY].any()


def test_a_window_ends_where_it_says(sound):
    cut = sound.cut(np.array([1] * 40), np.random.default_rng(1), copies=0.0)
    last = heard(cut)[:, -1]
    np.testing.assert_array_equal(last, (cut.ends - 1) // RATE + 1)
    assert len(np.unique(cut.ends)) > 30


def test_copies_are_drawn_as_often_as_asked(sound):
    cut = sound.cut(np.array([5] * 400), np.random.default_rng(0), copies=0.25)
    assert (heard(cut)[:, -1] < 0).mean() == pytest.approx(0.25, abs=0.06)


def test_in_training_other_sounds_are_copied_oftener_than_marked_cries(sound):
    for row, share in ((1, COPIED_MARKED), (5, COPIED_OTHER)):
        cut = sound.cut(np.array([row] * 800), np.random.default_rng(0))
        assert (heard(cut)[:, -1] < 0).mean() == pytest.approx(share, abs=0.05)


def test_the_marks_under_a_window_are_its_label(sound):
    rows = np.array([0, 0, 1, 1, 3, 5])
    ends = np.array([RATE, 1.5 * RATE, 2 * RATE, 1.75 * RATE, 4 * RATE, 6 * RATE]).astype(int)
    shares = sound.cry_shares(rows, ends, np.ones(6))
    np.testing.assert_allclose(shares[[0, 1, 2, 3, 5]], [0, 0.25, 0.75, 0.5, 0], atol=1e-6)
    assert np.isnan(shares[4])
    fast = sound.cry_shares(np.array([1]), np.array([2 * RATE]), np.array([1.5]))
    assert fast[0] == pytest.approx(0.5)


def test_what_was_invented_stands_beside_the_corpus(sound):
    assert sound.seconds == 12
    assert sound.labels[10:].tolist() == [1, 0]
    cut = sound.cut(np.array([10, 11]), np.random.default_rng(0))
    np.testing.assert_allclose(cut.waveforms[:, -1], 0.5, atol=1e-4)


def test_each_sort_is_drawn_by_its_share(sound):
    def weight(sort: str) -> float:
        return float(sound.weights[sound.sorts == sort].sum())

    assert sound.weights.sum() == pytest.approx(1.0)
    ratio = weight("cry, marked") / weight("between cries")
    assert ratio == pytest.approx(SHARES["cry, marked"] / SHARES["between cries"])
    others = (weight("cat") + weight("dog")) / weight("cry, marked")
    assert others == pytest.approx(OTHER_SHARE / SHARES["cry, marked"])
    assert weight("cat") > weight("dog")


def test_noises_hold_no_cry_and_nothing_from_a_cry_recording(sound):
    noises = np.rint(sound.noises(300, np.random.default_rng(0)) * 32767)
    assert set(np.unique(np.abs(noises[:, -1]))) <= {6, 7, 8, 9, 10, 16384}


def test_more_history_is_given_when_asked_for_and_says_where_it_is_silence(sound):
    cut = sound.cut(np.array([8, 9] * 20), np.random.default_rng(0), 0.0, history=2 * RATE)
    assert cut.waveforms.shape == (40, 3 * RATE)
    for window, silence in zip(heard(cut), cut.silence, strict=True):
        assert not window[:silence].any()
        assert window[silence:].all()
    assert cut.silence.min() == 0
    assert cut.silence.max() > 0


def test_heavier_seconds_are_drawn_more_often(sound):
    drawn = sound.drawn(5000, np.random.default_rng(0))
    shares = np.bincount(drawn, minlength=sound.seconds) / 5000
    np.testing.assert_allclose(shares, sound.weights, atol=0.03)
