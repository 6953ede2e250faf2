"""Cries are found where they were marked, or where it is loud."""

import numpy as np
import pytest

from models.identity.clips import cut_cries, loud_stretches, marked_stretches

RATE_HZ = 16_000


def sound(*parts):
    """Noise in parts of (seconds, level in dBFS)."""
    rng = np.random.default_rng(0)
    return np.concatenate(
        [10 ** (dbfs / 20) * rng.standard_normal(round(s * RATE_HZ)) for s, dbfs in parts]
    ).astype(np.float32)


def test_a_breath_joins_and_a_pause_divides():
    marks = [(0.2, 1.0), (1.6, 2.4), (4.0, 5.0)]
    assert marked_stretches(marks, 7.0) == [(0.2, 2.4), (4.0, 5.0)]


def test_what_is_too_short_to_embed_is_left_out():
    assert marked_stretches([(0.0, 0.4), (3.0, 3.5)], 7.0) == [(3.0, 3.5)]


def test_marks_beyond_the_end_are_cut():
    assert marked_stretches([(6.0, 9.0)], 7.0) == [(6.0, 7.0)]


def test_no_marks_no_cries():
    assert marked_stretches([], 7.0) == []


def test_the_loud_part_is_found():
    ((start, end),) = loud_stretches(sound((2, -50), (1.5, -15), (2, -50)), RATE_HZ)
    assert start == pytest.approx(2.0, abs=0.11)
    assert end == pytest.approx(3.5, abs=0.11)


@pytest.mark.parametrize("waveform", [sound((3, -80)), np.zeros(0, np.float32)])
def test_nothing_is_found_in_silence(waveform):
    assert loud_stretches(waveform, RATE_HZ) == []


def test_cries_are_cut_where_they_were_marked():
    waveform = np.arange(4 * RATE_HZ, dtype=np.float32)
    (cry,) = cut_cries(waveform, [(1.0, 1.4), (1.5, 2.0)])
    assert (cry[0], len(cry)) == (RATE_HZ, RATE_HZ)
    assert cut_cries(waveform, []) == []
