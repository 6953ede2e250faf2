"""Reads VGGish's published weights, in either of the two forms that users can get.

- A torch state dict with the keys `features.N.weight` and `embeddings.N.weight`: what the common
  PyTorch ports share out (also under a prefix such as `module.`, and with the PCA's own keys,
  which are left out).
- An `.npz` of the original checkpoint's variables, `vggish/conv1/weights` and so on, as
  `tf.train.load_checkpoint` lists them: convolutions [height, width, in, out], linear layers
  [in, out].

Their shapes are checked; they cannot be had on every machine, so a stand-in can be trained
(`stand_in.py`).
"""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.detector.vggish.network import VGGish

# Variables of the checkpoint and the layers of `VGGish` that they belong to.
CHECKPOINT_LAYERS = {
    "conv1": "features.0",
    "conv2": "features.3",
    "conv3/conv3_1": "features.6",
    "conv3/conv3_2": "features.8",
    "conv4/conv4_1": "features.11",
    "conv4/conv4_2": "features.13",
    "fc1/fc1_1": "embeddings.0",
    "fc1/fc1_2": "embeddings.2",
    "fc2": "embeddings.4",
}


class WeightsError(Exception):
    """A file does not hold VGGish's weights; `str()` is one sentence that says why."""


def load_vggish(path: Path, width: float = 1.0) -> VGGish:
    """VGGish with weights from a file, ready to use.

    Args:
        path: of a torch state dict, or an `.npz` of the checkpoint's variables.
        width: of the network in the file; the published one is 1.0.

    Raises:
        WeightsError: the file is missing, or holds something else.
    """
    if not path.is_file():
        raise WeightsError(f"there is no file {path}")
    state = _from_checkpoint(path) if path.suffix == ".npz" else _from_torch(path)
    network = VGGish(width)
    expected = network.state_dict()
    missing = [name for name in expected if name not in state]
    if missing:
        raise WeightsError(f"{path.name} lacks {missing[0]} ({len(missing)} of its weights)")
    for name, weight in expected.items():
        if state[name].shape != weight.shape:
            raise WeightsError(
                f"{path.name}: {name} is {tuple(state[name].shape)}, not {tuple(weight.shape)}"
            )
    network.load_state_dict({name: state[name] for name in expected})
    return network.eval()


def _from_torch(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what torch raises for a wrong file is of many kinds
        raise WeightsError(f"{path.name} is no torch state dict: {error}") from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path.name} is no torch state dict but {type(state).__name__}")
    return {
        name[name.index(group) :]: weight
        for name, weight in state.items()
        for group in ("features.", "embeddings.")
        if group in name
    }


def _from_checkpoint(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path) as arrays:
            # TensorFlow's own names of tensors end in the number of an output.
            variables = {name.removesuffix(":0"): arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} is no .npz file: {error}") from error
    state = {}
    for variable, layer in CHECKPOINT_LAYERS.items():
        weights = variables.get(f"vggish/{variable}/weights")
        biases = variables.get(f"vggish/{variable}/biases")
        if weights is None or biases is None:
            raise WeightsError(f"{path.name} lacks vggish/{variable}")
        # Outputs first, then inputs, then height and width.
        order = (3, 2, 0, 1) if weights.ndim == 4 else (1, 0)
        state[f"{layer}.weight"] = torch.from_numpy(
            np.ascontiguousarray(weights.transpose(order), np.float32)
        )
        state[f"{layer}.bias"] = torch.from_numpy(biases.astype(np.float32))
    return state
