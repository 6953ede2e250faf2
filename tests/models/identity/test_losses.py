"""NT-Xent falls when pairs meet and strangers part."""

import math

import pytest

torch = pytest.importorskip("torch")

from models.identity.losses import nt_xent  # noqa: E402


def test_matches_the_equation_worked_out_by_hand():
    # Two infants at right angles, each pair identical: the partner's similarity is 1 and the
    # two strangers' 0, so the loss is log(e^2 + 2) - 2 at a temperature of one half.
    pair = torch.eye(2)
    assert nt_xent(pair, pair, 0.5).item() == pytest.approx(math.log(math.exp(2) + 2) - 2, rel=1e-5)


def test_is_lower_for_true_pairs_than_for_swapped_ones():
    torch.manual_seed(0)
    infants = torch.randn(8, 16)
    other = infants + 0.1 * torch.randn(8, 16)
    assert nt_xent(infants, other, 0.1) < nt_xent(infants, other.roll(1, dims=0), 0.1)


def test_does_not_care_about_length():
    torch.manual_seed(0)
    first, second = torch.randn(4, 8), torch.randn(4, 8)
    assert nt_xent(3 * first, second, 0.2).item() == pytest.approx(
        nt_xent(first, second, 0.2).item(), rel=1e-5
    )


def test_one_infant_alone_is_refused():
    with pytest.raises(ValueError, match="infants >= 2"):
        nt_xent(torch.randn(1, 8), torch.randn(1, 8), 0.1)
