"""What is exported is what was trained."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from models.detector.calibration import Calibration  # noqa: E402
from models.detector.export import export  # noqa: E402
from models.detector.networks.context import ContextHead  # noqa: E402
from models.detector.networks.shufflenet import ShuffleNetV2  # noqa: E402
from models.detector.runtime import CryDetector  # noqa: E402
from models.features import log_mel  # noqa: E402


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


def test_scores_are_calibrated_inside_the_file(tmp_path):
    torch.manual_seed(0)
    head = ContextHead(3).eval()
    export(ShuffleNetV2(0.5).eval(), head, tmp_path, Calibration(slope=0.5, offset=-1.0))
    windows = np.random.default_rng(0).normal(size=(6, 3, 256)).astype(np.float32)
    with torch.inference_mode():
        wanted = torch.sigmoid(0.5 * head(torch.from_numpy(windows)) - 1.0)
    np.testing.assert_allclose(CryDetector(tmp_path).scores(windows), wanted.numpy(), atol=1e-5)
