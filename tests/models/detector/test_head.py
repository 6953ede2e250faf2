"""The head's windows hold what came before: the recording, another sound, or its first second."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tqdm")

from models.detector import head  # noqa: E402
from models.detector.backbone import TeacherOpinions  # noqa: E402
from models.detector.head import CONTEXT_SECONDS, train_head, windows_of  # noqa: E402
from models.detector.networks.classifier import SecondClassifier  # noqa: E402
from models.detector.windows import TrainingSound  # noqa: E402
from tests.models.detector.sounds import cry_and_cat  # noqa: E402

RATE = 8000


class Level(torch.nn.Module):
    """A backbone that only knows how loud a second is."""

    def forward(self, log_mel):
        return log_mel.mean(dim=(2, 3)).repeat(1, 256)


@pytest.fixture
def sound() -> TrainingSound:
    """Loud noise of one second, and soft noise of six; nothing else."""
    rng = np.random.default_rng(0)
    levels = np.array([3000] + [30] * 6)[:, None]
    pcm = (levels * rng.normal(size=(7, RATE))).astype(np.int16)
    labels = np.array([1] + [0] * 6, np.int8)
    return cry_and_cat(pcm, labels)


@pytest.fixture
def plain(monkeypatch):
    """Nothing is varied, so that a level is a level."""
    monkeypatch.setattr(head, "heard", lambda waveforms, *_: waveforms)


def levels_of(sound, rows, monkeypatch, spliced: float) -> np.ndarray:
    monkeypatch.setattr(head, "SPLICED", spliced)
    model = SecondClassifier(Level()).eval()
    windows, _ = windows_of(model, sound, np.array(rows), np.random.default_rng(0))
    assert windows.shape == (len(rows), CONTEXT_SECONDS, 256)
    return windows[:, :, 0].numpy()


def test_a_short_run_is_padded_with_its_first_second(sound, plain, monkeypatch):
    levels = levels_of(sound, [0] * 8, monkeypatch, spliced=0.0)
    np.testing.assert_allclose(levels, levels[:, -1:].repeat(CONTEXT_SECONDS, axis=1))


def test_another_sound_may_come_before_and_then_it_is_heard(sound, plain, monkeypatch):
    levels = levels_of(sound, [0] * 60, monkeypatch, spliced=1.0)
    assert (levels[:, -1] - levels[:, 0] > 20).all()
    # Mostly the soft noise; silence, of which there is little to draw, would be -100 dB.
    assert (levels[:, 0] > -99).mean() > 0.5


def test_a_long_recording_comes_after_itself(sound, plain, monkeypatch):
    levels = levels_of(sound, [5] * 8, monkeypatch, spliced=1.0)
    assert np.ptp(levels) < 1.0


def test_the_head_learns_from_the_last_second(sound, plain, monkeypatch):
    for name, value in (("VIEWS", 96), ("STEPS", 150), ("BATCH", 64), ("SPLICED", 1.0)):
        monkeypatch.setattr(head, name, value)
    log: list[dict] = []
    model = SecondClassifier(Level()).eval()
    trained = train_head(model, sound, TeacherOpinions(None, sound), 0, log.append)
    rows = np.array([0] * 20 + [4] * 20)
    windows, _ = windows_of(model, sound, rows, np.random.default_rng(1))
    with torch.inference_mode():
        cries = trained(windows) > 0
    assert cries.tolist() == [True] * 20 + [False] * 20
    assert not log


def test_the_teacher_is_asked_at_the_offset_of_the_window(sound):
    logits = np.arange(56, dtype=np.float32).reshape(7, 8) / 10
    sound.of_cry_recordings[:] = True
    opinions = TeacherOpinions(logits, sound)
    rows, ends = np.array([2, 2]), np.array([3 * RATE, 3 * RATE + RATE // 2])
    target, weight = opinions.targets(rows, ends, np.array([np.nan, np.nan]))
    wanted = 1 / (1 + np.exp(-np.array([logits[2, 0], logits[2, 4]])))
    np.testing.assert_allclose(target.numpy(), wanted, rtol=1e-5)
    assert weight.tolist() == [1.0, 1.0]
