"""Targets say what the marks say, and listen to the teacher only where marks may err."""

import numpy as np
import pytest

from models.detector.targets import TEACHER_SHARE, targets_of, with_teacher

NAN = np.nan


def test_marks_make_sure_targets_and_edges_weigh_little():
    target, weight = targets_of(np.array([0.0, 0.15, 0.3, 1.0, NAN]))
    assert target[0] == pytest.approx(0.01)
    assert target[2] == target[3] == pytest.approx(0.99)
    assert target[0] < target[1] < 0.5
    assert weight.tolist() == pytest.approx([1.0, 0.3, 1.0, 1.0, 0.0])


def test_the_teacher_alone_decides_where_nobody_marked():
    target, weight = with_teacher(np.array([NAN]), np.array([True]), np.float32([2.0]))
    assert target[0] == pytest.approx(1 / (1 + np.exp(-2)))
    assert weight[0] == 1.0


def test_the_teacher_is_mixed_with_marks_of_cry_recordings():
    target, _ = with_teacher(np.array([1.0]), np.array([True]), np.float32([-20.0]))
    assert target[0] == pytest.approx((1 - TEACHER_SHARE) * 0.99)


def test_another_sound_is_no_cry_whatever_the_teacher_thinks():
    target, weight = with_teacher(np.array([0.0]), np.array([False]), np.float32([9.0]))
    assert target[0] == pytest.approx(0.01)
    assert weight[0] == 1.0


def test_without_a_teacher_only_marks_count():
    target, weight = with_teacher(
        np.array([1.0, NAN]), np.array([True, True]), np.float32([NAN] * 2)
    )
    assert target[0] == pytest.approx(0.99)
    assert weight.tolist() == [1.0, 0.0]
