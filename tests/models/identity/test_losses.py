"""Both losses fall when cries of one infant meet and strangers part."""

import math

import pytest

torch = pytest.importorskip("torch")

from models.identity.losses import GE2E, LOSSES, ge2e, make_loss, nt_xent  # noqa: E402


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


def ge2e_by_hand(embeddings, scale, offset):
    """Equations 8, 9 and 6 of Wan et al. (2018), cry by cry."""
    e = embeddings / embeddings.norm(dim=2, keepdim=True)
    infants, views, _ = e.shape
    losses = []
    for j in range(infants):
        for i in range(views):
            logits = []
            for k in range(infants):
                members = [e[k, m] for m in range(views) if (k, m) != (j, i)]
                centroid = torch.stack(members).mean(dim=0)
                cosine = torch.dot(e[j, i], centroid) / centroid.norm()
                logits.append(scale * cosine + offset)
            losses.append(torch.logsumexp(torch.stack(logits), dim=0) - logits[j])
    return torch.stack(losses).mean().item()


@pytest.mark.parametrize("views", [2, 3])
def test_ge2e_is_that_of_the_paper(views):
    torch.manual_seed(0)
    embeddings = torch.randn(4, views, 8)
    expected = ge2e_by_hand(embeddings, 7.0, -2.0)
    assert ge2e(embeddings, 7.0, -2.0).item() == pytest.approx(expected, rel=1e-5)


def test_a_cry_does_not_count_towards_its_own_centroid():
    # Each infant's two cries are at right angles: only by counting itself would a cry be nearer
    # to its own infant than to the other, at right angles too.
    embeddings = torch.eye(4).reshape(2, 2, 4)
    assert ge2e(embeddings, 10.0, -5.0).item() == pytest.approx(math.log(2), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_either_loss_prefers_true_pairs(name):
    torch.manual_seed(0)
    infants = torch.randn(8, 16)
    pairs = torch.stack([infants, infants + 0.1 * torch.randn(8, 16)], dim=1)
    swapped = torch.stack([pairs[:, 0], pairs[:, 1].roll(1, dims=0)], dim=1)
    loss = make_loss(name, 0.1)
    assert loss(pairs) < loss(swapped)


def test_ge2e_learns_a_scale_that_stays_above_zero():
    torch.manual_seed(0)
    loss = GE2E()
    pairs = torch.randn(8, 1, 16).repeat(1, 2, 1)
    optimizer = torch.optim.SGD(loss.parameters(), lr=1.0)
    loss(pairs).backward()
    optimizer.step()
    assert loss.scale.item() > 10
    with torch.no_grad():
        loss.scale.fill_(-3.0)
    assert loss(pairs).item() == pytest.approx(math.log(8), rel=1e-4)


def test_ge2e_needs_two_infants_and_two_cries():
    for shape in ((1, 2, 8), (2, 1, 8)):
        with pytest.raises(ValueError, match="infants >= 2"):
            ge2e(torch.randn(shape), 10.0, -5.0)


def test_no_other_loss_is_known_nor_more_views_than_two_by_nt_xent():
    with pytest.raises(ValueError, match=r"nt-xent and ge2e"):
        make_loss("triplet", 0.1)
    with pytest.raises(ValueError, match=r"\[infants, 2, size\]"):
        make_loss("nt-xent", 0.1)(torch.randn(4, 3, 8))
