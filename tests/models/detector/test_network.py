"""The networks have the shapes of the paper, and what is exported is what was trained."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from models.detector.export import export  # noqa: E402
from models.detector.network import (  # noqa: E402
    ContextHead,
    SecondClassifier,
    ShuffleNetV2,
    ShuffleUnit,
)
from models.detector.runtime import CryDetector  # noqa: E402
from models.features import log_mel  # noqa: E402


@pytest.mark.parametrize("width", [0.5, 1.0])
def test_a_spectrogram_becomes_256_features(width):
    network = ShuffleNetV2(width).eval()
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 256)


def test_the_smaller_width_has_a_third_of_a_million_weights():
    assert sum(p.numel() for p in ShuffleNetV2(0.5).parameters()) < 350_000


def test_a_unit_of_stride_2_halves_the_picture():
    x = torch.randn(2, 24, 16, 16)
    assert ShuffleUnit(24, 48, stride=2).eval()(x).shape == (2, 48, 8, 8)


def test_a_unit_of_stride_1_passes_half_of_the_channels_and_interleaves_them():
    x = torch.randn(2, 48, 8, 8)
    out = ShuffleUnit(48, 48, stride=1).eval()(x)
    assert out.shape == x.shape
    torch.testing.assert_close(out[:, 0::2], x[:, :24])


def test_the_classifier_gives_one_logit_a_second():
    assert SecondClassifier().eval()(torch.zeros(3, 1, 64, 64)).shape == (3,)


def test_the_head_looks_at_every_second_of_its_window():
    head = ContextHead(5).eval()
    windows = torch.randn(1, 5, 256)
    for second in range(5):
        changed = windows.clone()
        changed[0, second] += 10 * torch.randn(256)
        assert abs((head(changed) - head(windows)).item()) > 1e-4


def test_the_exported_files_say_what_the_networks_say(tmp_path):
    torch.manual_seed(0)
    backbone, head = ShuffleNetV2(0.5).eval(), ContextHead(5).eval()
    export(backbone, head, tmp_path)
    detector = CryDetector(tmp_path)
    sounds = (0.1 * np.random.default_rng(0).normal(size=(7, 8000))).astype(np.float32)
    with torch.inference_mode():
        features = backbone(torch.from_numpy(log_mel(sounds))[:, None])
        scores = torch.sigmoid(head(features[None, :5]))
    given = detector.features(sounds, 8000)
    np.testing.assert_allclose(given, features.numpy(), atol=1e-4)
    np.testing.assert_allclose(detector.scores(given[None, :5]), scores.numpy(), atol=1e-4)
