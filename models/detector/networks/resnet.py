"""ResNet-18, the large backbone that the light ones are measured against.

He, Zhang, Ren and Sun (2016), "Deep Residual Learning for Image Recognition"; one of the
backbones that Tan, Yao and Liu (2023), section 3.2, compare.
"""

from torch import Tensor, nn

from models.detector.networks.layers import FEATURE_SIZE, convolution, pointwise, standardized

# Table 1 of the paper: four stages of two blocks.
STAGE_CHANNELS = (64, 128, 256, 512)
BLOCKS = 2


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut.

    `[batch, inputs, mels, frames]` to `[batch, outputs, mels / stride, frames / stride]`.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *convolution(inputs, outputs, 3, stride),
            nn.ReLU(inplace=True),
            *convolution(outputs, outputs, 3),
        )
        fits = stride == 1 and inputs == outputs
        self.shortcut = (
            nn.Identity() if fits else nn.Sequential(*convolution(inputs, outputs, 1, stride))
        )

    def forward(self, x: Tensor) -> Tensor:
        return (self.layers(x) + self.shortcut(x)).relu()


class ResNet18(nn.Module):
    """Log-Mel of a second to features: `float32 [batch, 1, 64, 64]` in dB to `[batch, 256]`.

    As published, with a 1 x 1 convolution from its 512 channels to the features.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = STAGE_CHANNELS[0]
        self.stem = nn.Sequential(
            *convolution(1, channels, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        )
        blocks = []
        for stage, outputs in enumerate(STAGE_CHANNELS):
            for number in range(BLOCKS):
                stride = 2 if stage > 0 and number == 0 else 1
                blocks.append(BasicBlock(channels, outputs, stride))
                channels = outputs
        self.stages = nn.Sequential(*blocks)
        self.last = pointwise(channels, FEATURE_SIZE)

    def forward(self, log_mel: Tensor) -> Tensor:
        return self.last(self.stages(self.stem(standardized(log_mel)))).mean(dim=(2, 3))
