"""The detector's networks: ShuffleNet-V2 features of a second, and a head over some seconds.

ShuffleNet-V2: Ma, Zhang, Zheng and Sun (2018), "Practical Guidelines for Efficient CNN
Architecture Design"; its use on 64 x 64 log-Mel spectrograms with 256-d features: Tan, Yao and
Liu (2023), section 3.2.
"""

import torch
from torch import Tensor, nn

FEATURE_SIZE = 256
# Decibels of everyday sound, brought near zero mean and unit spread.
MEAN_DB, SPREAD_DB = -25.0, 20.0
UNITS = (4, 8, 4)
STEM_CHANNELS = 24
# Channels of the three stages by width, table 5 of the paper.
STAGE_CHANNELS = {0.5: (48, 96, 192), 1.0: (116, 232, 464)}


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
            _pointwise(branch_inputs, half), *_depthwise(half, half, stride)
        )

    def forward(self, x: Tensor) -> Tensor:
        passing, convolved = x.chunk(2, dim=1) if self.splits else (x, x)
        joined = torch.cat([self.passing(passing), self.convolved(convolved)], dim=1)
        batch, channels, mels, frames = joined.shape
        # Shuffle: the halves interleave, so that the next unit splits them differently.
        pairs = joined.view(batch, 2, channels // 2, mels, frames)
        return pairs.transpose(1, 2).reshape(batch, channels, mels, frames)


def _pointwise(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _depthwise(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        *_pointwise(inputs, outputs),
    )


class ShuffleNetV2(nn.Module):
    """Log-Mel of a second to features.

    `float32 [batch, 1, 64, 64]` in dB to `[batch, 256]`. The max-pool after the stem is left out:
    a spectrogram of 64 x 64 has no pixels to waste.

    Args:
        width: 0.5 or 1.0.
    """

    def __init__(self, width: float = 0.5) -> None:
        super().__init__()
        stages = []
        channels = STEM_CHANNELS
        for outputs, units in zip(STAGE_CHANNELS[width], UNITS, strict=True):
            stages.append(ShuffleUnit(channels, outputs, stride=2))
            stages += [ShuffleUnit(outputs, outputs, stride=1) for _ in range(units - 1)]
            channels = outputs
        self.stem = nn.Sequential(
            nn.Conv2d(1, STEM_CHANNELS, 3, 2, 1, bias=False),
            nn.BatchNorm2d(STEM_CHANNELS),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.Sequential(*stages)
        self.last = _pointwise(channels, FEATURE_SIZE)

    def forward(self, log_mel: Tensor) -> Tensor:
        x = (log_mel - MEAN_DB) / SPREAD_DB
        return self.last(self.stages(self.stem(x))).mean(dim=(2, 3))


class SecondClassifier(nn.Module):
    """The standalone classifier: `[batch, 1, 64, 64]` to the logit of a cry, `[batch]`."""

    def __init__(self, width: float = 0.5, dropout: float = 0.2) -> None:
        super().__init__()
        self.backbone = ShuffleNetV2(width)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(FEATURE_SIZE, 1))

    def forward(self, log_mel: Tensor) -> Tensor:
        return self.head(self.backbone(log_mel)).squeeze(1)


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
