"""The losses are the paper's equations, worked out by hand on small bags."""

from math import log

import pytest

torch = pytest.importorskip("torch")

from models.detector.mil.losses import (  # noqa: E402
    Bags,
    MagnitudeLoss,
    RankingLoss,
    magnitude_loss,
    ranking_loss,
    regularization,
    top_k,
    top_k_cross_entropy,
)

# One pair of bags of three instances. The largest magnitudes are not those of the highest scores.
ABNORMAL = Bags(torch.tensor([[0.9, 0.2, 0.6]]), torch.tensor([[1.0, 8.0, 6.0]]))
NORMAL = Bags(torch.tensor([[0.1, 0.5, 0.3]]), torch.tensor([[3.0, 2.0, 5.0]]))


def test_equation_2_is_a_hinge_between_the_highest_scores():
    assert ranking_loss(ABNORMAL.scores, NORMAL.scores).item() == pytest.approx(1 - 0.9 + 0.5)


def test_equation_2_ends_where_the_scores_are_one_apart():
    apart = ranking_loss(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 0.0]]))
    assert apart.item() == 0


def test_smoothness_and_sparsity_are_of_the_abnormal_scores():
    smooth = (0.2 - 0.9) ** 2 + (0.6 - 0.2) ** 2
    sparse = 0.9**2 + 0.2**2 + 0.6**2
    assert regularization(ABNORMAL.scores, 1, 0).item() == pytest.approx(smooth)
    assert regularization(ABNORMAL.scores, 0, 1).item() == pytest.approx(sparse)
    given = RankingLoss(smoothness=0.5, sparsity=0.25)(ABNORMAL, NORMAL).item()
    assert given == pytest.approx(0.6 + 0.5 * smooth + 0.25 * sparse)


def test_the_top_instances_are_those_of_the_largest_magnitude():
    assert top_k(ABNORMAL.magnitudes, 2).tolist() == [[1, 2]]
    assert top_k(NORMAL.magnitudes, 1).tolist() == [[2]]
    assert sorted(top_k(NORMAL.magnitudes, 9)[0].tolist()) == [0, 1, 2]


def test_equation_4_is_a_hinge_between_mean_top_magnitudes():
    # Means of the two largest: 7 and 4.
    given = magnitude_loss(ABNORMAL.magnitudes, NORMAL.magnitudes, k=2, margin=10)
    assert given.item() == pytest.approx(10 - (7 - 4))
    assert magnitude_loss(ABNORMAL.magnitudes, NORMAL.magnitudes, k=2, margin=2).item() == 0


def test_equation_5_is_the_cross_entropy_of_the_mean_score_of_the_top_instances():
    abnormal, normal = (0.2 + 0.6) / 2, (0.1 + 0.3) / 2
    given = top_k_cross_entropy(ABNORMAL, NORMAL, k=2).item()
    assert given == pytest.approx((-log(abnormal) - log(1 - normal)) / 2)


def test_equation_6_adds_them_up():
    loss = MagnitudeLoss(k=2, margin=10, weight=0.5, smoothness=0.1, sparsity=0.2)
    parts = (
        top_k_cross_entropy(ABNORMAL, NORMAL, 2)
        + 0.5 * 7
        + regularization(ABNORMAL.scores, 0.1, 0.2)
    )
    assert loss(ABNORMAL, NORMAL).item() == pytest.approx(parts.item())


def test_a_loss_is_the_mean_over_pairs_of_bags():
    twice = [Bags(b.scores.repeat(3, 1), b.magnitudes.repeat(3, 1)) for b in (ABNORMAL, NORMAL)]
    for loss in (MagnitudeLoss(), RankingLoss()):
        assert loss(*twice).item() == pytest.approx(loss(ABNORMAL, NORMAL).item())
