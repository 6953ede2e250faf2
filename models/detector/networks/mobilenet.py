"""MobileNet-V2: narrow layers joined by residuals, wide depthwise convolutions between them.

Sandler, Howard, Zhu, Zhmoginov and Chen (2018), "MobileNetV2: Inverted Residuals and Linear
Bottlenecks"; one of the backbones that Tan, Yao and Liu (2023), section 3.2, compare.
"""

from torch import Tensor, nn

from models.detector.networks.layers import FEATURE_SIZE, convolution, pointwise, standardized

STEM_CHANNELS = 32
# Table 2 of the paper: expansion, channels, blocks, stride of the first block.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project without a ReLU; adds its input where it fits.

    `[batch, inputs, mels, frames]` to `[batch, outputs, mels / stride, frames / stride]`.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        expanding = [*convolution(inputs, hidden, 1), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(
            *(expanding if expansion > 1 else []),
            *convolution(hidden, hidden, 3, stride, groups=hidden),
            nn.ReLU6(inplace=True),
            *convolution(hidden, outputs, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.adds else self.layers(x)


class MobileNetV2(nn.Module):
    """Log-Mel of a second to features: `float32 [batch, 1, 64, 64]` in dB to `[batch, 256]`.

    As published at width 1.0, but the last layer has 256 channels where the paper has 1280.
    """

    def __init__(self) -> None:
        super().__init__()
        blocks = []
        channels = STEM_CHANNELS
        for expansion, outputs, count, stride in STAGES:
            for number in range(count):
                blocks.append(
                    InvertedResidual(channels, outputs, 1 if number else stride, expansion)
                )
                channels = outputs
        self.stem = nn.Sequential(*convolution(1, STEM_CHANNELS, 3, 2), nn.ReLU6(inplace=True))
        self.stages = nn.Sequential(*blocks)
        self.last = pointwise(channels, FEATURE_SIZE)

    def forward(self, log_mel: Tensor) -> Tensor:
        return self.last(self.stages(self.stem(standardized(log_mel)))).mean(dim=(2, 3))
