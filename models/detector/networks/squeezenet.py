"""SqueezeNet: 1 x 1 convolutions squeeze the channels before the 3 x 3 ones expand them.

Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer (2016), "SqueezeNet: AlexNet-level accuracy with
50x fewer parameters"; one of the backbones that Tan, Yao and Liu (2023), section 3.2, compare.
"""

import torch
from torch import Tensor, nn

from models.detector.networks.layers import FEATURE_SIZE, standardized

STEM_CHANNELS = 64
# The authors' release 1.1 (as exact, 2.4 times cheaper than 1.0): squeezed and expanded channels
# of each fire; a max-pool stands before the first, third and fifth.
FIRES = ((16, 128), (16, 128), (32, 256), (32, 256), (48, 384), (48, 384), (64, 512), (64, 512))
POOLED_FIRES = (0, 2, 4)


class Fire(nn.Module):
    """Squeeze to a few channels, expand half by 1 x 1 and half by 3 x 3 convolutions.

    `[batch, inputs, mels, frames]` to `[batch, outputs, mels, frames]`.
    """

    def __init__(self, inputs: int, squeezed: int, outputs: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand_1x1 = nn.Conv2d(squeezed, outputs // 2, 1)
        self.expand_3x3 = nn.Conv2d(squeezed, outputs // 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        squeezed = self.squeeze(x).relu()
        return torch.cat([self.expand_1x1(squeezed), self.expand_3x3(squeezed)], dim=1).relu()


class SqueezeNet(nn.Module):
    """Log-Mel of a second to features: `float32 [batch, 1, 64, 64]` in dB to `[batch, 256]`.

    Release 1.1, whose last convolution gives the features instead of the classes. It has no batch
    norm, as published; so its weights begin as He et al. (2015) draw them, or the sound would fade
    on its way through 18 layers.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, STEM_CHANNELS, 3, 2, 1), nn.ReLU(inplace=True)]
        channels = STEM_CHANNELS
        for number, (squeezed, outputs) in enumerate(FIRES):
            if number in POOLED_FIRES:
                layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
            layers.append(Fire(channels, squeezed, outputs))
            channels = outputs
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.5)
        self.last = nn.Conv2d(channels, FEATURE_SIZE, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, log_mel: Tensor) -> Tensor:
        x = self.dropout(self.layers(standardized(log_mel)))
        return self.last(x).relu().mean(dim=(2, 3))
