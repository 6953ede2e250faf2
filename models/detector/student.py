"""The network that ships: ShuffleNet-V2 with its own ear for each mel, and two kinds of pooling."""

import torch
from torch import Tensor, nn

from models.detector.networks.layers import FEATURE_SIZE, SPREAD_DB, standardized
from models.detector.networks.shufflenet import ShuffleNetV2
from models.features import DETECTOR_MELS

HALF = FEATURE_SIZE // 2


class Student(ShuffleNetV2):
    """Log-Mel of a second to features: `float32 [batch, 1, 64, 64]` in dB to `[batch, 256]`.

    Two things are other than in the paper's network. Each mel has a gain and an offset of its own,
    so that the network knows high from low before it sees edges. And a second counts as a cry from
    0.3 s on, which a mean over the second waters down: half of the features are the mean over
    time, half the loudest moment.
    """

    def __init__(self, width: float = 0.5) -> None:
        super().__init__(width)
        self.gain = nn.Parameter(torch.ones(1, 1, DETECTOR_MELS, 1))
        self.offset = nn.Parameter(torch.zeros(1, 1, DETECTOR_MELS, 1))

    def forward(self, log_mel: Tensor) -> Tensor:
        x = standardized(log_mel) * self.gain + self.offset
        moments = self.last(self.stages(self.stem(x))).mean(dim=2)
        return torch.cat([moments[:, :HALF].mean(dim=2), moments[:, HALF:].amax(dim=2)], dim=1)

    @torch.no_grad()
    def turn_down(self, decibels: float) -> None:
        """From now on hear every sound so much softer than it is."""
        self.offset -= self.gain * (decibels / SPREAD_DB)
