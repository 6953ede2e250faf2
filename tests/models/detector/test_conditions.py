"""Each condition does what its name says, the same each time."""

import numpy as np
import pytest

from models.detector.conditions import (
    Condition,
    loudness,
    noise_conditions,
    second_infant,
    ward_conditions,
)

RATE = 8000


def tone(hz: float, seconds: float = 3.0, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)).astype("f4")


def named(start: str) -> Condition:
    return next(c for c in ward_conditions() if c.name.startswith(start))


def changed(condition: Condition, wave: np.ndarray, seed: int = 0) -> np.ndarray:
    try:
        return condition.change(wave, np.random.default_rng(seed))
    except ValueError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("condition", ward_conditions(), ids=lambda c: c.name)
def test_it_keeps_the_length_and_repeats_itself(condition):
    wave = tone(500, 2.5)
    first, second = changed(condition, wave), changed(condition, wave)
    assert first.shape == wave.shape
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("name", "peak"), [("peak at 0", 1.0), ("peak at -40", 0.01)])
def test_peaks_are_where_they_are_said_to_be(name, peak):
    assert np.abs(changed(named(name), tone(500))).max() == pytest.approx(peak, rel=0.01)


def test_clipping_clips_much():
    heard = changed(named("clipped"), tone(500))
    assert (np.abs(heard) > 0.999).mean() > 0.5


def test_far_away_is_quieter_and_blurred():
    click = np.zeros(2 * RATE, np.float32)
    click[4000] = 1.0
    heard = changed(named("three metres"), click)
    assert loudness(heard) < 0.5 * loudness(click)
    assert np.abs(heard[4001:8000]).sum() > 5 * np.abs(heard[4000])


def test_only_the_late_cut_moves_the_labels():
    assert [c.shift_seconds for c in ward_conditions() if c.shift_seconds] == [0.5]


def test_noise_is_as_loud_as_its_ratio_says():
    wave, noise = tone(500), tone(1500, 0.7, level=0.01)
    loud, quiet = noise_conditions({"n": [noise]}, (0.0, 20.0))
    assert [loud.name, quiet.name] == ["n at 0 dB SNR", "n at 20 dB SNR"]
    for condition, ratio in ((loud, 1.0), (quiet, 0.1)):
        added = changed(condition, wave) - wave
        assert np.abs(added).std() > 0
        assert loudness(added) == pytest.approx(ratio * loudness(wave), rel=0.05)


def test_a_second_infant_is_as_loud_as_the_first():
    condition = second_infant([tone(900, level=0.05)])
    wave = tone(500)
    assert loudness(changed(condition, wave) - wave) == pytest.approx(loudness(wave), rel=0.05)


def test_loudness_is_that_of_the_loud_seconds():
    wave = np.concatenate([np.zeros(9 * RATE, np.float32), tone(500, 1.0)])
    assert loudness(wave) > 0.1
    assert loudness(np.zeros(RATE, np.float32)) == 1e-4
