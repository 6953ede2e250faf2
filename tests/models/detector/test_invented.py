"""Invented recordings are whole seconds, say where they cry, and come out the same again."""

import numpy as np
import pytest

from models.detector import invented
from models.detector.invented import MARKS_HZ, inventions, tone


@pytest.fixture
def few(monkeypatch):
    for name, count in (("CRIES", 3), ("TONES", 4), ("OF_EACH_NOISE", 1), ("STEADY", 2)):
        monkeypatch.setattr(invented, name, count)


def test_they_are_whole_seconds_with_marks(few):
    made = inventions()
    assert len(made) == 3 + 4 + 3 + 2
    for invention in made:
        assert invention.waveform.size % 8000 == 0
        assert invention.marks.size == invention.waveform.size // 80
        assert invention.waveform.any()


def test_only_cries_are_marked_and_there_they_are_loud(few):
    made = inventions()
    assert [bool(i.marks.any()) for i in made] == [True] * 3 + [False] * 9
    for cry in made[:3]:
        level = (cry.waveform.reshape(-1, 8000 // MARKS_HZ) ** 2).mean(axis=1)
        assert level[cry.marks == 1].mean() > 10 * level[cry.marks == 0].mean()


def test_the_same_seed_makes_the_same(few):
    for first, second in zip(inventions(5), inventions(5), strict=True):
        np.testing.assert_array_equal(first.waveform, second.waveform)
    assert not np.array_equal(inventions(5)[0].waveform, inventions(6)[0].waveform)


def test_tones_are_many_and_none_clips():
    rng = np.random.default_rng(0)
    tones = np.stack([tone(8000, rng) for _ in range(60)])
    assert np.abs(tones).max() < 1.0
    loudest = np.abs(np.fft.rfft(tones)).argmax(axis=1)
    assert np.ptp(loudest) > 500
