"""What the embedder is tuned on: cries of one infant should meet, of two infants part.

Two losses, chosen by name. Each takes a batch float32 [infants, views, size] that holds every
infant once, with `views` different cries of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Where Wan et al. (2018, section 2.2) start the line from cosine to logit.
GE2E_SCALE = 10.0
GE2E_OFFSET = -5.0
# The scale must stay above zero, or a greater cosine would count as less alike.
LEAST_SCALE = 1e-6


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Normalized temperature-scaled cross entropy over a batch of pairs.

    Chen et al. 2020 (SimCLR), equation 1: `first[i]` and `second[i]` are two cries of infant i,
    and everything else in the batch is somebody else. So a batch must hold each infant once.

    float32 [infants, size], float32 [infants, size] -> float32 []

    Raises:
        ValueError: the shapes differ, or there is only one infant (nothing to tell apart).
    """
    if first.shape != second.shape or first.ndim != 2 or first.shape[0] < 2:
        raise ValueError(f"two equal [infants >= 2, size] are needed: {first.shape} {second.shape}")
    infants = first.shape[0]
    embeddings = functional.normalize(torch.cat([first, second]), dim=1)
    similarity = embeddings @ embeddings.T / temperature
    similarity = similarity.masked_fill(
        torch.eye(2 * infants, dtype=torch.bool, device=similarity.device), float("-inf")
    )
    partner = torch.arange(2 * infants, device=similarity.device).roll(infants)
    return functional.cross_entropy(similarity, partner)


def ge2e(embeddings: Tensor, scale: Tensor | float, offset: Tensor | float) -> Tensor:
    """Generalized end-to-end loss, softmax variant (Wan, Wang, Papir and Moreno 2018).

    With e_ji cry i of infant j, of unit length, and c_k the mean cry of infant k, equations 8, 9
    and 6 are

        S_ji,k = w cos(e_ji, c_k) + b           for k other than j,
        S_ji,j = w cos(e_ji, c_j without e_ji) + b,
        L(e_ji) = -S_ji,j + log sum_k exp S_ji,k,

    with the scale w above zero and the offset b. The result is the mean of L over all cries, not
    the sum as in the paper, so that a learning rate means the same for any batch. b cancels out of
    this variant (it is the contrast variant that needs it); it is kept as the paper has it.

    float32 [infants, views, size] -> float32 []

    Raises:
        ValueError: there are fewer than two infants or two views.
    """
    if embeddings.ndim != 3 or min(embeddings.shape[:2]) < 2:
        raise ValueError(f"[infants >= 2, views >= 2, size] is needed: {tuple(embeddings.shape)}")
    infants, views, _ = embeddings.shape
    embeddings = functional.normalize(embeddings, dim=2)
    totals = embeddings.sum(dim=1)
    # [infants, views, infants]: of every cry to every infant's centroid.
    cosines = embeddings @ functional.normalize(totals, dim=1).T
    # A cry that is part of its own centroid would be alike for nothing.
    without = functional.normalize(totals[:, None] - embeddings, dim=2)
    own = torch.eye(infants, dtype=torch.bool, device=embeddings.device)[:, None]
    cosines = torch.where(own, (embeddings * without).sum(dim=2, keepdim=True), cosines)
    logits = (scale * cosines + offset).reshape(infants * views, infants)
    truth = torch.arange(infants, device=embeddings.device).repeat_interleave(views)
    return functional.cross_entropy(logits, truth)


class NTXent(nn.Module):
    """`nt_xent` of a batch float32 [infants, 2, size] -> float32 []; it learns nothing itself."""

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self._temperature = temperature

    def forward(self, embeddings: Tensor) -> Tensor:
        if embeddings.ndim != 3 or embeddings.shape[1] != 2:
            raise ValueError(f"NT-Xent takes [infants, 2, size], not {tuple(embeddings.shape)}")
        return nt_xent(embeddings[:, 0], embeddings[:, 1], self._temperature)


class GE2E(nn.Module):
    """`ge2e` of a batch float32 [infants, views, size] -> float32 [], scale and offset learned."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(GE2E_SCALE))
        self.offset = nn.Parameter(torch.tensor(GE2E_OFFSET))

    def forward(self, embeddings: Tensor) -> Tensor:
        return ge2e(embeddings, self.scale.clamp(min=LEAST_SCALE), self.offset)


LOSSES = ("nt-xent", "ge2e")


def make_loss(name: str, temperature: float) -> nn.Module:
    """The loss of that name in `LOSSES`; `temperature` is NT-Xent's alone.

    Raises:
        ValueError: there is no such loss.
    """
    if name == "nt-xent":
        return NTXent(temperature)
    if name == "ge2e":
        return GE2E()
    raise ValueError(f"there is no loss {name!r}, but {' and '.join(LOSSES)}")
