"""VGGish has the published layout, and its weights load from either form."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.detector.vggish.network import VGGish  # noqa: E402
from models.detector.vggish.weights import (  # noqa: E402
    CHECKPOINT_LAYERS,
    WeightsError,
    load_vggish,
)

WIDTH = 1 / 32
SOUND = torch.randn(2, 1, 96, 64, generator=torch.Generator().manual_seed(0))
# As the published checkpoint lists them.
PUBLISHED = {
    "vggish/conv1/weights": (3, 3, 1, 64),
    "vggish/conv2/weights": (3, 3, 64, 128),
    "vggish/conv3/conv3_1/weights": (3, 3, 128, 256),
    "vggish/conv3/conv3_2/weights": (3, 3, 256, 256),
    "vggish/conv4/conv4_1/weights": (3, 3, 256, 512),
    "vggish/conv4/conv4_2/weights": (3, 3, 512, 512),
    "vggish/fc1/fc1_1/weights": (12288, 4096),
    "vggish/fc1/fc1_2/weights": (4096, 4096),
    "vggish/fc2/weights": (4096, 128),
}


@pytest.fixture
def network() -> VGGish:
    torch.manual_seed(1)
    return VGGish(WIDTH).eval()


def as_checkpoint(network: VGGish, suffix: str = "") -> dict[str, np.ndarray]:
    """The weights under the names and in the layout of the original variables."""
    state, variables = network.state_dict(), {}
    for variable, layer in CHECKPOINT_LAYERS.items():
        weights = state[f"{layer}.weight"].numpy()
        order = (2, 3, 1, 0) if weights.ndim == 4 else (1, 0)
        variables[f"vggish/{variable}/weights{suffix}"] = weights.transpose(order)
        variables[f"vggish/{variable}/biases{suffix}"] = state[f"{layer}.bias"].numpy()
    return variables


def test_the_layout_is_the_published_one():
    with torch.device("meta"):
        published = VGGish()
    assert {name: array.shape for name, array in as_shapes(published).items()} == PUBLISHED
    assert sum(weight.numel() for weight in published.parameters()) == 72_141_184


def as_shapes(network: VGGish) -> dict[str, np.ndarray]:
    state, shapes = network.state_dict(), {}
    for variable, layer in CHECKPOINT_LAYERS.items():
        shape = state[f"{layer}.weight"].shape
        order = (2, 3, 1, 0) if len(shape) == 4 else (1, 0)
        shapes[f"vggish/{variable}/weights"] = np.broadcast_to(0, [shape[i] for i in order])
    return shapes


def test_a_second_becomes_128_features(network):
    assert network(SOUND).shape == (2, 128)


@pytest.mark.parametrize("prefix", ["", "module.", "vggish."])
def test_a_torch_state_dict_loads_whatever_stands_before_its_names(network, tmp_path, prefix):
    state = {prefix + name: weight for name, weight in network.state_dict().items()}
    state["pproc.pca_eigen_vectors"] = torch.zeros(128, 128)
    torch.save(state, tmp_path / "vggish.pth")
    loaded = load_vggish(tmp_path / "vggish.pth", WIDTH)
    torch.testing.assert_close(loaded(SOUND), network(SOUND))


@pytest.mark.parametrize("suffix", ["", ":0"])
def test_the_original_variables_load_into_the_same_network(network, tmp_path, suffix):
    np.savez(tmp_path / "vggish.npz", **as_checkpoint(network, suffix))
    loaded = load_vggish(tmp_path / "vggish.npz", WIDTH)
    torch.testing.assert_close(loaded(SOUND), network(SOUND))


def test_pixels_reach_the_linear_layers_as_frames_mels_channels(network):
    pooled = network.features(SOUND)
    flat = torch.stack([p.permute(1, 2, 0).reshape(-1) for p in pooled])
    torch.testing.assert_close(network(SOUND), network.embeddings(flat))


@pytest.mark.parametrize("change", ["missing", "shape", "variable", "text", "list"])
def test_what_is_wrong_with_a_file_is_said(network, tmp_path, change):
    path, state = tmp_path / "vggish.pth", network.state_dict()
    if change == "missing":
        del state["embeddings.2.bias"]
        torch.save(state, path)
        said = r"lacks embeddings\.2\.bias \(1 of its weights\)"
    elif change == "shape":
        torch.save(VGGish(WIDTH * 2).state_dict(), path)
        said = r"features\.0\.weight is \(4, 1, 3, 3\), not \(2, 1, 3, 3\)"
    elif change == "variable":
        path = tmp_path / "vggish.npz"
        variables = as_checkpoint(network)
        del variables["vggish/fc2/biases"]
        np.savez(path, **variables)
        said = "lacks vggish/fc2"
    elif change == "list":
        torch.save([1, 2], path)
        said = "but list"
    else:
        path.write_text("no weights")
        said = "is no torch state dict"
    with pytest.raises(WeightsError, match=said):
        load_vggish(path, WIDTH)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"there is no file .*vggish\.pth"):
        load_vggish(tmp_path / "vggish.pth")
