import numpy as np

from models.synthesis.room import Room


def test_a_room_keeps_the_direct_sound_and_adds_a_tail() -> None:
    click = np.zeros(16_000, dtype=np.float32)
    click[100] = 1.0
    heard = Room(np.random.default_rng(0)).heard(click)
    assert heard.shape == click.shape
    assert heard.dtype == np.float32
    assert abs(heard[100] - 1.0) < 1e-5
    assert np.abs(heard[:100]).max() < 1e-5
    early, late = np.sum(heard[150:2000] ** 2), np.sum(heard[4000:5850] ** 2)
    assert early > 10.0 * late
    assert 0.01 < np.sum(heard[101:] ** 2) < 0.3
