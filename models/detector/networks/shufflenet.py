"""ShuffleNet-V2, the backbone that ships: half of the channels pass each unit untouched.

Ma, Zhang, Zheng and Sun (2018), "Practical Guidelines for Efficient CNN Architecture Design"; its
use on 64 x 64 log-Mel spectrograms with 256-d features: Tan, Yao and Liu (2023), section 3.2.
"""

import torch
from torch import Tensor, nn

from models.detector.networks.layers import FEATURE_SIZE, convolution, pointwise, standardized

UNITS = (4, 8, 4)
STEM_CHANNELS = 24
# Channels of the three stages by width, table 5 of the paper.
STAGE_CHANNELS = {
    0.5: (48, 96, 192),
    1.0: (116, 232, 464),
    1.5: (176, 352, 704),
    2.0: (244, 488, 976),
}


class ShuffleUnit(nn.Module):
    """One unit: half of the channels pass, half are convolved; stride 2 convolves all.

    `[batch, inputs, mels, frames]` to `[batch, outputs, mels / stride, frames / stride]`.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        half = outputs // 2
        self.splits = stride == 1
        branch_inputs = inputs // 2 if self.splits else inputs
        self.passing = nn.Identity() if self.splits else _depthwise(inputs, half, stride)
        self.convolved = nn.Sequential(
            pointwise(branch_inputs, half), *_depthwise(half, half, stride)
        )

    def forward(self, x: Tensor) -> Tensor:
        passing, convolved = x.chunk(2, dim=1) if self.splits else (x, x)
        joined = torch.cat([self.passing(passing), self.convolved(convolved)], dim=1)
        batch, channels, mels, frames = joined.shape
        # Shuffle: the halves interleave, so that the next unit splits them differently.
        pairs = joined.view(batch, 2, channels // 2, mels, frames)
        return pairs.transpose(1, 2).reshape(batch, channels, mels, frames)


def _depthwise(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        *convolution(inputs, inputs, 3, stride, groups=inputs), *pointwise(inputs, outputs)
    )


class ShuffleNetV2(nn.Module):
    """Log-Mel of a second to features.

    `float32 [batch, 1, 64, 64]` in dB to `[batch, 256]`. The max-pool after the stem is left out:
    a spectrogram of 64 x 64 has no pixels to waste.

    Args:
        width: 0.5, 1.0, 1.5 or 2.0.
    """

    def __init__(self, width: float = 0.5) -> None:
        super().__init__()
        stages = []
        channels = STEM_CHANNELS
        for outputs, units in zip(STAGE_CHANNELS[width], UNITS, strict=True):
            stages.append(ShuffleUnit(channels, outputs, stride=2))
            stages += [ShuffleUnit(outputs, outputs, stride=1) for _ in range(units - 1)]
            channels = outputs
        self.stem = nn.Sequential(*convolution(1, STEM_CHANNELS, 3, 2), nn.ReLU(inplace=True))
        self.stages = nn.Sequential(*stages)
        self.last = pointwise(channels, FEATURE_SIZE)

    def forward(self, log_mel: Tensor) -> Tensor:
        return self.last(self.stages(self.stem(standardized(log_mel)))).mean(dim=(2, 3))
