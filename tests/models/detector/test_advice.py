"""A head heeds what YAMNet says, as far as the features tell it, and only once."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("sklearn")

from models.detector import advice  # noqa: E402
from models.detector.advice import SHARE, advised  # noqa: E402
from models.detector.calibration import Calibration  # noqa: E402
from models.detector.export import export, head_of  # noqa: E402
from models.detector.networks.context import ContextHead  # noqa: E402
from models.detector.runtime import SCORES_FILE, CryDetector  # noqa: E402
from models.detector.student import Student  # noqa: E402
from models.detector.tagger import Tagger  # noqa: E402
from models.detector.windows import TrainingSound  # noqa: E402
from tests.models.detector.sounds import cry_and_cat  # noqa: E402

RATE = 8000


class HearsLoudness(Tagger):
    """A tagger to whom a loud second is surely a cry, and a soft one is surely none."""

    def __init__(self) -> None:
        self.asked = 0

    def scores(self, waveforms):
        self.asked += len(waveforms)
        assert waveforms.shape[1] == 2 * RATE
        tags = np.zeros((len(waveforms), 521), np.float32)
        tags[:, 20] = np.abs(waveforms).mean(axis=1) > 0.05
        return tags


@pytest.fixture
def sound(monkeypatch) -> TrainingSound:
    """Noise, loud and soft, of which no mark says anything that helps."""
    monkeypatch.setattr(advice, "VIEWS", 1920)
    monkeypatch.setattr(advice, "RIDGE", 1.0)  # for fifteen times fewer views
    monkeypatch.setattr(advice, "heard", lambda waveforms, *_: waveforms)
    rng = np.random.default_rng(0)
    levels = np.tile([6000, 60], 8)[:, None]
    pcm = (levels * rng.normal(size=(16, RATE))).clip(-32767, 32767).astype(np.int16)
    labels = np.repeat([1, 0], 8).astype(np.int8)
    return cry_and_cat(pcm, labels)


@pytest.fixture
def exported(tmp_path) -> tuple[ContextHead, Path]:
    torch.manual_seed(0)
    head = ContextHead(3).eval()
    export(Student().eval(), head, tmp_path)
    return head, tmp_path


def features_of(folder: Path, level: float) -> torch.Tensor:
    noise = level * np.random.default_rng(1).normal(size=(8, RATE))
    features = CryDetector(folder).features(noise.astype(np.float32), RATE)
    return torch.from_numpy(features)[:, None].repeat(1, 3, 1)


def test_a_head_heeds_its_share_of_what_the_tagger_says(sound, exported):
    head, folder = exported
    windows = torch.cat([features_of(folder, 0.2), features_of(folder, 0.002)])
    with torch.inference_mode():
        before = head(windows)
    tagger = HearsLoudness()
    advised(head, folder, sound, tagger, seed=0)
    assert tagger.asked == 1920
    with torch.inference_mode():
        change = (head(windows) - before).numpy()
    # The logits of surely a cry and of surely none are cut at 5 and -9.
    assert change[:8].mean() == pytest.approx(5 * SHARE, abs=0.5)
    assert change[8:].mean() == pytest.approx(-9 * SHARE, abs=0.5)


def test_only_the_last_second_is_heeded(sound, exported):
    head, folder = exported
    windows = features_of(folder, 0.002)
    louder = windows.clone()
    louder[:, :2] = features_of(folder, 0.2)[:, :2]
    with torch.inference_mode():
        before = head(louder) - head(windows)
        advised(head, folder, sound, HearsLoudness(), seed=0)
        after = head(louder) - head(windows)
    np.testing.assert_allclose(after.numpy(), before.numpy(), atol=1e-4)


def test_an_exported_head_is_read_back_without_its_calibration(exported, tmp_path):
    head, _ = exported
    folder = tmp_path / "calibrated"
    export(Student().eval(), head, folder, Calibration(slope=0.5, offset=-1.0))
    windows = torch.randn(4, 3, 256)
    with torch.inference_mode():
        assert torch.equal(head_of(folder)(windows), head(windows))


def test_what_is_no_head_is_refused(exported, tmp_path):
    _, folder = exported
    with pytest.raises(FileNotFoundError, match=SCORES_FILE):
        head_of(tmp_path / "nowhere")
    (folder / SCORES_FILE).write_bytes((folder / "cry-features.onnx").read_bytes())
    with pytest.raises(ValueError, match="another head"):
        head_of(folder)
