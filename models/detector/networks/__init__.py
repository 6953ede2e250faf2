"""The backbones, each log-Mel `[batch, 1, 64, 64]` to features `[batch, 256]`, by name."""

from collections.abc import Callable
from functools import partial

from torch import nn

from models.detector.networks.mobilenet import MobileNetV2
from models.detector.networks.resnet import ResNet18
from models.detector.networks.shufflenet import STAGE_CHANNELS, ShuffleNetV2
from models.detector.networks.squeezenet import SqueezeNet

BACKBONES: dict[str, Callable[[], nn.Module]] = {
    **{f"shufflenet-{width}": partial(ShuffleNetV2, width) for width in STAGE_CHANNELS},
    "mobilenet": MobileNetV2,
    "squeezenet": SqueezeNet,
    "resnet": ResNet18,
}


def backbone(name: str) -> nn.Module:
    """A new, untrained backbone; raises ValueError for a name that is not in `BACKBONES`."""
    if name not in BACKBONES:
        raise ValueError(f"no backbone {name!r}; there are {', '.join(BACKBONES)}")
    return BACKBONES[name]()
