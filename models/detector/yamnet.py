"""YAMNet in torch, with the weights of its published TFLite file: where the teacher begins.

YAMNet (Plakal and Ellis 2020, TensorFlow models, Apache-2.0) is MobileNet-V1 (Howard et al. 2017)
on log-Mel patches, trained on the 521 sounds of AudioSet. Read here at 8 kHz: its spectrogram is
the same up to 4 kHz, and above there is what it hears of any telephone, nothing. So the teacher
knows no more of a codec than the student.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

RATE_HZ = 8000
EMBEDDING_SIZE = 1024
# 25 ms windows every 10 ms, as at 16 kHz; half the samples give half the magnitude.
WINDOW, HOP, FFT = 200, 80, 256
MAGNITUDE_SCALE = 2.0
MELS, LOWEST_HZ, HIGHEST_HZ = 64, 125.0, 7500.0
LOG_OFFSET = 0.001
STEM_CHANNELS = 32
# Input and output channels and stride of the thirteen separable blocks.
BLOCKS = (
    (32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2),
    *((512, 512, 1),) * 5, (512, 1024, 2), (1024, 1024, 1),
)  # fmt: skip


class YamnetSpectrogram(nn.Module):
    """Sound at 8 kHz to YAMNet's log-Mel: `[batch, samples]` to `[batch, 1, frames, 64]`."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(WINDOW, periodic=True))
        self.register_buffer("filters", torch.from_numpy(MAGNITUDE_SCALE * _mel_filters()))

    def forward(self, waveforms: Tensor) -> Tensor:
        frames = waveforms.unfold(-1, WINDOW, HOP) * self.window
        magnitudes = torch.fft.rfft(frames, n=FFT).abs()
        return torch.log(magnitudes @ self.filters + LOG_OFFSET)[:, None]


class _Separable(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.depthwise(_padded(x, self.depthwise.stride[0])))
        return torch.relu(self.pointwise(x))


class Yamnet(nn.Module):
    """What it hears where: `[batch, 1, frames, 64]` to `[batch, 1024, frames / 32, 2]`.

    Without its last layer, which names the sounds (`tagger.py`). Batch norms are folded into the
    convolutions, as in the published file.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, STEM_CHANNELS, 3, 2)
        self.blocks = nn.ModuleList(_Separable(*block) for block in BLOCKS)

    def forward(self, spectrograms: Tensor) -> Tensor:
        x = torch.relu(self.stem(_padded(spectrograms, 2)))
        for block in self.blocks:
            x = block(x)
        return x


def read_yamnet(path: Path) -> Yamnet:
    """YAMNet with the weights of `yamnet.tflite`; needs the package `ai-edge-litert`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is another model.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}")
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    # Constants only: whatever is computed has no name that ends so, or comes later.
    found: dict[str, Tensor] = {}
    for details in interpreter.get_tensor_details():
        name = details["name"].removeprefix("yamnet_frames/")
        if details["index"] and name not in found:
            try:
                found[name] = _dequantized(interpreter.get_tensor(details["index"]), details)
            except ValueError:  # not a constant, and nothing was computed yet
                continue
    network = Yamnet()
    try:
        network.load_state_dict(_state(found))
    except (KeyError, RuntimeError, StopIteration) as error:
        raise ValueError(f"{path.name} is not YAMNet as published: {error}") from error
    return network


def _state(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """The constants of the file under the names that they have here."""
    bias = "bn/FusedBatchNormV3"
    state = {
        "stem.weight": found["layer1/conv/Conv2D"].permute(0, 3, 1, 2),
        "stem.bias": found[f"layer1/conv/{bias}"],
    }
    for number in range(len(BLOCKS)):
        layer = f"layer{number + 2}"
        # The depthwise kernels carry the name of the operation that they were folded into.
        kernel = next(n for n in found if n.startswith(f"{layer}/depthwise_conv/{bias};"))
        block = f"blocks.{number}"
        state[f"{block}.depthwise.weight"] = found[kernel].permute(3, 0, 1, 2)
        state[f"{block}.depthwise.bias"] = found[f"{layer}/depthwise_conv/{bias}"]
        pointwise = found[f"{layer}/pointwise_conv/Conv2D"]
        state[f"{block}.pointwise.weight"] = pointwise.permute(0, 3, 1, 2)
        state[f"{block}.pointwise.bias"] = found[f"{layer}/pointwise_conv/{bias}"]
    return state


def _dequantized(tensor: NDArray, details: dict) -> Tensor:
    scales = details["quantization_parameters"]["scales"]
    values = tensor.astype(np.float32)
    if scales.size:
        shape = [1] * values.ndim
        if scales.size > 1:
            shape[details["quantization_parameters"]["quantized_dimension"]] = -1
        zero = details["quantization_parameters"]["zero_points"].reshape(shape)
        values = (values - zero) * scales.reshape(shape)
    return torch.from_numpy(values)


def _padded(x: Tensor, stride: int) -> Tensor:
    """TensorFlow's SAME padding for a kernel of 3: the odd one goes to the end."""
    pads: list[int] = []
    for size in (x.shape[-1], x.shape[-2]):
        missing = max((-(-size // stride) - 1) * stride + 3 - size, 0)
        pads += [missing // 2, missing - missing // 2]
    return nn.functional.pad(x, pads)


def _mel_filters() -> NDArray[np.float32]:
    """HTK's mel filters, triangles on the mel scale: float32 [129 bins, 64 mels]."""
    edges = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), MELS + 2)
    bins = _mel(np.linspace(0, RATE_HZ / 2, FFT // 2 + 1))
    rising = (bins[:, None] - edges[None, :-2]) / np.diff(edges)[None, :-1]
    falling = (edges[None, 2:] - bins[:, None]) / np.diff(edges)[None, 1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    triangles[0] = 0.0  # it hears no constant
    return triangles.astype(np.float32)


def _mel(hz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(np.asarray(hz, dtype=np.float64) / 700.0)
