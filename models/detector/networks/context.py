"""The head that ships: features of the last seconds to a score of the last one."""

import torch
from torch import Tensor, nn

from models.detector.networks.layers import FEATURE_SIZE


class ContextHead(nn.Module):
    """Features of the last seconds to the logit of a cry in the last one.

    `float32 [batch, seconds, 256]` to `[batch]`: a linear score of the last second, plus what a
    small convolution over all of them adds.
    """

    def __init__(self, seconds: int, hidden: int = 64, dropout: float = 0.3) -> None:
        super().__init__()
        self.seconds = seconds
        self.last = nn.Linear(FEATURE_SIZE, 1)
        self.context = nn.Sequential(
            nn.Dropout(dropout),
            nn.Conv1d(FEATURE_SIZE, hidden, kernel_size=3),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv1d(hidden, 1, kernel_size=seconds - 2),
        )

    def forward(self, windows: Tensor) -> Tensor:
        context = self.context(windows.transpose(1, 2)).flatten(1)
        return (self.last(windows[:, -1]) + context).squeeze(1)

    @torch.no_grad()
    def take(self, weights: Tensor, bias: float) -> None:
        """Add `weights @ features + bias` of the last second to the logit; float32 [256]."""
        self.last.weight += weights
        self.last.bias += bias
