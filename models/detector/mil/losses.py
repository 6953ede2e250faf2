"""The two losses over pairs of an abnormal and a normal bag.

Numbers of equations are those of Tan, Yao and Liu (2023). Scores are float32 [bags, instances] in
0..1, magnitudes float32 [bags, instances]; a loss is the mean over the pairs of bags.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Bags:
    """What the network says about one batch of bags of one kind.

    Attributes:
        scores: float32 [bags, instances], in 0..1.
        magnitudes: of the refined features, float32 [bags, instances].
    """

    scores: Tensor
    magnitudes: Tensor


class Loss(Protocol):
    """What a network over bags can be trained with."""

    def __call__(self, abnormal: Bags, normal: Bags) -> Tensor:
        """The loss of as many abnormal as normal bags: a scalar."""


@dataclass(frozen=True)
class RankingLoss:
    """Equation 3: the highest score of an abnormal bag stands above that of a normal one.

    Attributes:
        smoothness: lambda 1, of the changes from one instance to the next.
        sparsity: lambda 2, of scores at all: most of a bag is normal. Both as Sultani, Chen and
            Shah (2018) give them.
    """

    smoothness: float = 8e-5
    sparsity: float = 8e-5

    def __call__(self, abnormal: Bags, normal: Bags) -> Tensor:
        """The loss of as many abnormal as normal bags: a scalar."""
        ranking = ranking_loss(abnormal.scores, normal.scores)
        return ranking + regularization(abnormal.scores, self.smoothness, self.sparsity)


@dataclass(frozen=True)
class MagnitudeLoss:
    """Equation 6: RTFM, which picks instances by the magnitude of their features.

    Attributes:
        k: how many instances of a bag are picked.
        margin: m, by which the magnitudes of abnormal and normal picks are to differ.
        weight: alpha, of the magnitudes against the scores.
        smoothness: lambda 1.
        sparsity: lambda 2; both as in the code of Tian et al. (2021).
    """

    k: int = 2
    # The 256 features of a backbone have magnitudes around 5 to 15, not the 2,048 of a video
    # network, for which RTFM's 100 and 0.0001 were chosen.
    margin: float = 10.0
    weight: float = 0.1
    smoothness: float = 8e-4
    sparsity: float = 8e-3

    def __call__(self, abnormal: Bags, normal: Bags) -> Tensor:
        """The loss of as many abnormal as normal bags: a scalar."""
        scored = top_k_cross_entropy(abnormal, normal, self.k)
        spread = magnitude_loss(abnormal.magnitudes, normal.magnitudes, self.k, self.margin)
        regular = regularization(abnormal.scores, self.smoothness, self.sparsity)
        return scored + self.weight * spread + regular


def ranking_loss(abnormal: Tensor, normal: Tensor) -> Tensor:
    """Equation 2, of scores [bags, instances]: the hinge between the highest of each pair."""
    return (1 - abnormal.amax(dim=1) + normal.amax(dim=1)).relu().mean()


def regularization(abnormal: Tensor, smoothness: float, sparsity: float) -> Tensor:
    """The last two terms of equations 3 and 6, of the scores of abnormal bags."""
    changes = abnormal.diff(dim=1).square().sum(dim=1)
    return (smoothness * changes + sparsity * abnormal.square().sum(dim=1)).mean()


def top_k(magnitudes: Tensor, k: int) -> Tensor:
    """The instances of each bag with the largest magnitudes: int64 [bags, k]."""
    return magnitudes.topk(min(k, magnitudes.shape[1]), dim=1).indices


def magnitude_loss(abnormal: Tensor, normal: Tensor, k: int, margin: float) -> Tensor:
    """Equation 4, of magnitudes [bags, instances].

    A is the mean of the k largest magnitudes and d the difference of two of them, as equation 4
    needs it. (RTFM's code, which the paper calls "the square of the mean", squares the sum of the
    hinge and the normal magnitude instead, which also pulls normal features towards zero.)
    """
    largest = [
        magnitudes.gather(1, top_k(magnitudes, k)).mean(dim=1) for magnitudes in (abnormal, normal)
    ]
    return (margin - (largest[0] - largest[1])).relu().mean()


def top_k_cross_entropy(abnormal: Bags, normal: Bags, k: int) -> Tensor:
    """Equation 5: cross-entropy of the mean score of the k instances of largest magnitude."""
    means = [
        bags.scores.gather(1, top_k(bags.magnitudes, k)).mean(dim=1) for bags in (abnormal, normal)
    ]
    labels = torch.cat([torch.ones_like(means[0]), torch.zeros_like(means[1])])
    return nn.functional.binary_cross_entropy(torch.cat(means), labels)
