"""What the embedder is tuned on: two cries of one infant should meet, of two infants part."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


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
