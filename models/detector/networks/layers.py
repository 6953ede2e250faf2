"""What the backbones have in common: their input's scale, their output's size, small blocks."""

from torch import Tensor, nn

FEATURE_SIZE = 256
# Decibels of everyday sound, brought near zero mean and unit spread.
MEAN_DB, SPREAD_DB = -25.0, 20.0


def standardized(log_mel: Tensor) -> Tensor:
    """A spectrogram in dB, near zero mean and unit spread; the same for every sound."""
    return (log_mel - MEAN_DB) / SPREAD_DB


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """A convolution that keeps the picture's size (over its stride), and a batch norm."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


def pointwise(inputs: int, outputs: int) -> nn.Sequential:
    """A 1 x 1 convolution with batch norm and ReLU: `[batch, inputs, ...]` to `outputs`."""
    return nn.Sequential(*convolution(inputs, outputs, 1), nn.ReLU(inplace=True))
