import numpy as np
import pytest

from streams.sources.cut import cut_seconds


@pytest.mark.parametrize(
    ("samples", "seconds"),
    [(0, 0), (3999, 0), (4000, 1), (8000, 1), (11_999, 1), (12_000, 2), (24_000, 3)],
)
def test_a_rest_of_half_a_second_counts_and_a_shorter_one_does_not(
    samples: int, seconds: int
) -> None:
    cut = cut_seconds(np.ones(samples, dtype=np.float32), 8000)
    assert cut.shape == (seconds, 8000)
    assert cut.dtype == np.float32


def test_the_sound_stays_in_order_and_the_padding_is_silence() -> None:
    wave = np.arange(1, 20_001, dtype=np.float32)
    cut = cut_seconds(wave, 8000)
    np.testing.assert_array_equal(cut.ravel()[:20_000], wave)
    np.testing.assert_array_equal(cut.ravel()[20_000:], 0.0)
