"""What is exported answers as what was trained."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

from models.identity import export as exporting  # noqa: E402
from models.identity.network import EcapaTdnn, Layout  # noqa: E402
from models.identity.runtime import CryEmbedder  # noqa: E402

NARROW = Layout(channels=(16, 16, 24), kernel_sizes=(5, 3, 3), dilations=(1, 2, 3))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return EcapaTdnn(NARROW).eval()


def test_the_graph_takes_any_number_of_frames_and_agrees_with_the_network(tmp_path, network):
    path = tmp_path / "embedder.onnx"
    exporting.export(network, path, {"version": "identity-7", "source": "test"})
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for frames in (51, 60, 777):
        features = np.random.default_rng(0).normal(size=(1, frames, 80)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(features)).numpy()
        assert np.abs(session.run(None, {"features": features})[0] - expected).max() < 1e-4
    assert CryEmbedder(path).version == "identity-7"


def test_the_file_names_no_folder_of_the_machine_that_made_it(tmp_path, network):
    path = tmp_path / "embedder.onnx"
    exporting.export(network, path, {"version": "identity-7"})
    for folder in {Path(exporting.__file__).parent, Path(torch.__file__).parent, Path.home()}:
        assert str(folder).encode() not in path.read_bytes()
    assert b".py" not in path.read_bytes()


def test_an_export_without_a_version_is_refused(tmp_path, network):
    with pytest.raises(ValueError, match="version"):
        exporting.export(network, tmp_path / "embedder.onnx", {})


def test_a_graph_that_answers_otherwise_is_not_shipped(tmp_path, network, monkeypatch):
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="off by"):
        exporting.export(network, tmp_path / "embedder.onnx", {"version": "identity-7"})
    assert list(tmp_path.iterdir()) == []
