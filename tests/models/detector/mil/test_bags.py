"""A bag has T instances, whatever the recording's length."""

import numpy as np
import pytest

from models.detector.mil.bags import SIZES, bag_of, weights_of


def ramp(seconds: int) -> np.ndarray:
    return np.arange(seconds, dtype=np.float32)[:, None]


def test_as_many_seconds_as_instances_stay_as_they_are():
    np.testing.assert_allclose(bag_of(ramp(5), 5), ramp(5))


def test_a_long_recording_is_divided_and_averaged():
    np.testing.assert_allclose(bag_of(ramp(10), 5)[:, 0], [0.5, 2.5, 4.5, 6.5, 8.5])


def test_a_second_across_a_border_gives_to_both_segments():
    # Segments of 1.5 s: second 1 belongs half to each.
    np.testing.assert_allclose(bag_of(ramp(3), 2)[:, 0], [(0 + 0.5) / 1.5, (0.5 + 2) / 1.5])


def test_a_short_recording_is_interpolated_from_its_first_to_its_last_second():
    np.testing.assert_allclose(bag_of(ramp(3), 5)[:, 0], [0, 0.5, 1, 1.5, 2])


def test_one_second_fills_its_bag():
    np.testing.assert_allclose(bag_of(np.full((1, 4), 7, np.float32), 10), np.full((10, 4), 7))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seconds", [1, 2, 4, 5, 7, 16, 61])
def test_an_instance_is_a_mean_of_seconds(size, seconds):
    weights = weights_of(seconds, size)
    assert weights.shape == (size, seconds)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)


def test_nothing_makes_no_bag():
    with pytest.raises(ValueError, match="at least one second"):
        bag_of(np.zeros((0, 4), np.float32), 5)
