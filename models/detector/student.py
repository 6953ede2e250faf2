"""The network that ships: ShuffleNet-V2, shuffled in blocks, with its own ear for each mel."""

import torch
from torch import Tensor, nn

from models.detector.networks.layers import (
    FEATURE_SIZE,
    SPREAD_DB,
    convolution,
    pointwise,
    standardized,
)
from models.features import DETECTOR_MELS

STEM_CHANNELS = 16
STAGE_CHANNELS, UNITS = (64, 192, 384), (4, 8, 4)
HALF = FEATURE_SIZE // 2

# What a unit hands on: two quarters of the channels that pass it by, and the half that it hears.
Parts = tuple[Tensor, Tensor, Tensor]


class _Quarters(nn.Module):
    """Half of a stage's channels, made as the two quarters that part ways in the next unit."""

    def __init__(self, inputs: int, half: int) -> None:
        super().__init__()
        self.first, self.second = pointwise(inputs, half // 2), pointwise(inputs, half // 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.first(x), self.second(x)


class _Downsampling(nn.Module):
    """The unit of stride 2 that begins a stage and convolves all channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.passing = nn.Sequential(*convolution(inputs, inputs, 3, 2, groups=inputs))
        self.quarters = _Quarters(inputs, half)
        self.convolved = nn.Sequential(
            pointwise(inputs, half), *convolution(half, half, 3, 2, groups=half),
            *pointwise(half, half),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Parts:
        return *self.quarters(self.passing(x)), self.convolved(x)


class _Unit(nn.Module):
    """The unit of stride 1: half of the channels pass, half are convolved."""

    def __init__(self, half: int) -> None:
        super().__init__()
        self.convolved = nn.Sequential(
            pointwise(half, half), *convolution(half, half, 3, groups=half)
        )
        self.quarters = _Quarters(half, half)

    def forward(self, parts: Parts) -> Parts:
        waiting, passed, heard = parts
        first, second = self.quarters(self.convolved(heard))
        # The shuffle: whatever passed twice is heard next, beside half of what is new.
        return passed, first, torch.cat([waiting, second], dim=1)


class Student(nn.Module):
    """Log-Mel of a second to features: `float32 [batch, 1, 64, 64]` in dB to `[batch, 256]`.

    ShuffleNet-V2 (`networks/shufflenet.py`) with four things changed. Its shuffle moves whole
    quarters of the channels instead of single ones, which a runtime does without copying, and
    blocks are of sixteen channels, as its kernels are: 2.6 times the parameters at width 0.5 in
    less time. Each mel has a gain and an offset of its own, so that the network knows high from
    low before it sees edges. A second counts as a cry from 0.3 s on, which a mean over the second
    waters down: half of the features are the mean over time, half the loudest moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1, 1, DETECTOR_MELS, 1))
        self.offset = nn.Parameter(torch.zeros(1, 1, DETECTOR_MELS, 1))
        self.stem = nn.Sequential(*convolution(1, STEM_CHANNELS, 3, 2), nn.ReLU(inplace=True))
        inputs = (STEM_CHANNELS, *STAGE_CHANNELS)
        self.downsampling = nn.ModuleList(map(_Downsampling, inputs, STAGE_CHANNELS))
        self.stages = nn.ModuleList(
            nn.Sequential(*(_Unit(channels // 2) for _ in range(units - 1)))
            for channels, units in zip(STAGE_CHANNELS, UNITS, strict=True)
        )
        self.last = pointwise(STAGE_CHANNELS[-1], FEATURE_SIZE)

    def forward(self, log_mel: Tensor) -> Tensor:
        x = self.stem(standardized(log_mel) * self.gain + self.offset)
        for downsampling, stage in zip(self.downsampling, self.stages, strict=True):
            x = torch.cat(stage(downsampling(x)), dim=1)
        # Pooled by kernels of a fixed size: the runtime's mean over axes is ten times as slow.
        mels, frames = x.shape[2:]
        moments = nn.functional.avg_pool2d(self.last(x), (mels, 1))
        means = nn.functional.avg_pool2d(moments[:, :HALF], (1, frames))
        loudest = nn.functional.max_pool2d(moments[:, HALF:], (1, frames))
        return torch.cat([means, loudest], dim=1).flatten(1)

    @torch.no_grad()
    def turn_down(self, decibels: float) -> None:
        """From now on hear every sound so much softer than it is."""
        self.offset -= self.gain * (decibels / SPREAD_DB)
