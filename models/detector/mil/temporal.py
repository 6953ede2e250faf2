"""Feature refinement: what makes the magnitude of an instance's features learnable.

The multi-scale temporal network of Tian et al. (2021), section 3.1, at the size of our features,
and the plain layers that Tan, Yao and Liu (2023), section 3.2, find to do as well.
"""

import torch
from torch import Tensor, nn

# Of the three convolutions, as in RTFM: one instance away, two, four.
DILATIONS = (1, 2, 4)


class NonLocal(nn.Module):
    """Each instance looks at all others of its bag: `[batch, channels, T]` to the same.

    Wang, Girshick, Gupta and He (2018), "Non-local Neural Networks", dot product. Begins as the
    identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.query = nn.Conv1d(channels, inner, 1)
        self.key = nn.Conv1d(channels, inner, 1)
        self.value = nn.Conv1d(channels, inner, 1)
        self.out = nn.Sequential(nn.Conv1d(inner, channels, 1), nn.BatchNorm1d(channels))
        nn.init.zeros_(self.out[1].weight)

    def forward(self, x: Tensor) -> Tensor:
        alike = self.query(x).transpose(1, 2) @ self.key(x) / x.shape[2]  # [batch, T, T]
        seen = self.value(x) @ alike.transpose(1, 2)
        return x + self.out(seen)


class MultiScale(nn.Module):
    """Dilated convolutions and a non-local block side by side: `[batch, T, size]` to the same.

    Each of the four gives a quarter of the features; a convolution joins them, and the result is
    added to what came in.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        quarter = size // 4
        self.dilated = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(size, quarter, 3, padding=dilation, dilation=dilation),
                nn.ReLU(),
                nn.BatchNorm1d(quarter),
            )
            for dilation in DILATIONS
        )
        self.reduce = nn.Sequential(nn.Conv1d(size, quarter, 1, bias=False), nn.ReLU())
        self.non_local = NonLocal(quarter)
        self.join = nn.Sequential(
            nn.Conv1d(4 * quarter, size, 3, padding=1, bias=False), nn.ReLU(), nn.BatchNorm1d(size)
        )

    def forward(self, features: Tensor) -> Tensor:
        x = features.transpose(1, 2)
        scales = [branch(x) for branch in self.dilated]
        joined = self.join(torch.cat([*scales, self.non_local(self.reduce(x))], dim=1))
        return (x + joined).transpose(1, 2)


class Plain(nn.Module):
    """Two layers on each instance by itself: `[batch, T, size]` to the same."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(size, size), nn.ReLU(), nn.Linear(size, size), nn.ReLU()
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)


REFINEMENTS = {"multi-scale": MultiScale, "plain": Plain}
