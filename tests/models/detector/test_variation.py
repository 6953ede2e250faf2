"""Variation makes what a monitor may deliver: as long, in range, other noise on other rows."""

import numpy as np
import pytest

from models.detector import variation
from models.detector.variation import heard, masked, played

RATE = 8000


def tones(batch: int, hz: float = 400) -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)
    return np.tile(wave, (batch, 1)).astype(np.float32)


def only(monkeypatch, **wanted: float) -> None:
    names = ("SPEED", "ROOM", "NOISE_ON_CRY", "NOISE_ELSEWHERE", "MICROPHONE", "COLOURED")
    for name in names:
        monkeypatch.setattr(variation, name, wanted.get(name, 0.0))
    monkeypatch.setattr(variation, "OVERDRIVEN", wanted.get("OVERDRIVEN", 0.0))
    monkeypatch.setattr(variation, "GAIN_DB", (0.0, 0.0))


def test_what_is_heard_is_16_bit_sound_of_the_same_shape():
    rng = np.random.default_rng(0)
    given = tones(64)
    result = heard(given, np.ones(64, bool), lambda n: tones(n, 900), rng)
    assert result.shape == given.shape
    assert result.dtype == np.float32
    assert np.abs(result).max() <= 1.0
    np.testing.assert_allclose(result * 32767, np.rint(result * 32767), atol=5e-3)
    assert not np.array_equal(result[0], result[1])
    np.testing.assert_array_equal(given, tones(64))


def test_noise_comes_on_cries_as_often_as_said(monkeypatch):
    only(monkeypatch, NOISE_ON_CRY=1.0)
    cries = np.arange(10) < 5
    result = heard(tones(10), cries, lambda n: tones(n, 900), np.random.default_rng(0))
    at_900 = np.abs(np.fft.rfft(result))[:, 900]
    assert (at_900[:5] > 10).all()
    assert (at_900[5:] < 1).all()


def test_with_nothing_drawn_nothing_changes(monkeypatch):
    only(monkeypatch)
    result = heard(tones(4), np.ones(4, bool), lambda n: tones(n), np.random.default_rng(0))
    np.testing.assert_allclose(result, tones(4), atol=2e-5)


def test_levels_are_spread_but_gain_alone_never_clips(monkeypatch):
    only(monkeypatch)
    monkeypatch.setattr(variation, "GAIN_DB", (-40.0, 20.0))
    result = heard(tones(200), np.zeros(200, bool), lambda n: tones(n), np.random.default_rng(0))
    peaks = 20 * np.log10(np.abs(result).max(axis=1))
    assert peaks.min() < -40
    assert peaks.max() == pytest.approx(0, abs=0.01)
    assert (np.abs(result) > 0.999).mean(axis=1).max() < 0.11  # a tone's tenth


def test_what_is_overdriven_is_flat_at_whatever_level(monkeypatch):
    only(monkeypatch, OVERDRIVEN=0.5)
    monkeypatch.setattr(variation, "GAIN_DB", (-20.0, -20.0))
    result = heard(tones(40), np.zeros(40, bool), lambda n: tones(n), np.random.default_rng(0))
    flat = (np.abs(result) > 0.0299).mean(axis=1)
    assert 10 < (flat > 0.3).sum() < 30
    assert ((flat > 0.3) | (flat < 0.2)).all()
    assert np.abs(result).max() < 0.0301


def test_speeds_are_told_for_those_that_changed(monkeypatch):
    only(monkeypatch, SPEED=0.5)
    result, factors = played(tones(40), np.zeros(40, bool), np.random.default_rng(0))
    changed = ~(result == tones(40)).all(axis=1)
    np.testing.assert_array_equal(changed, factors != 1)
    assert 5 < changed.sum() < 35


def test_what_is_no_cry_changes_its_speed_more(monkeypatch):
    only(monkeypatch, SPEED=1.0)
    others = np.arange(200) < 100
    _, factors = played(np.tile(tones(1), (200, 1)), others, np.random.default_rng(0))
    assert np.abs(factors[~others] - 1).max() < 0.15
    assert np.abs(factors[others] - 1).max() > 0.2


def test_a_mask_hides_a_band_and_a_stretch(monkeypatch):
    monkeypatch.setattr(variation, "MASKED", 1.0)
    given = np.random.default_rng(0).normal(size=(5, 64, 64)).astype(np.float32)
    result = masked(given, np.random.default_rng(1))
    for before, after in zip(given, result, strict=True):
        hidden = after != before
        assert hidden.all(axis=1).sum() in range(1, 9)
        assert hidden.all(axis=0).sum() in range(1, 13)
        assert after[hidden] == pytest.approx(before.mean(), abs=0.05)
