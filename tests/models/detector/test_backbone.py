"""The backbone learns single seconds, with and without YAMNet's tags, and in several cycles."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tqdm")

from models.detector import backbone  # noqa: E402
from models.detector.backbone import TeacherOpinions, mean_of, train_backbone  # noqa: E402
from models.detector.student import STAGE_CHANNELS, Student  # noqa: E402
from models.detector.tagger import Tagger  # noqa: E402
from models.detector.windows import TrainingSound  # noqa: E402
from models.features import log_mel  # noqa: E402
from tests.models.detector.sounds import cry_and_cat  # noqa: E402

RATE = 8000


@pytest.fixture
def sound(monkeypatch) -> TrainingSound:
    """Sweeps that are cries, noise that is not."""
    monkeypatch.setattr(backbone, "BATCH", 8)
    rng, time = np.random.default_rng(0), np.arange(RATE) / RATE
    sweeps = [0.3 * np.sin(2 * np.pi * (400 + 200 * rng.random()) * time**1.1) for _ in range(12)]
    noises = [0.1 * rng.normal(size=RATE) for _ in range(12)]
    pcm = (np.clip([*sweeps, *noises], -1, 1) * 32767).astype(np.int16)
    labels = np.repeat([1, 0], 12).astype(np.int8)
    return cry_and_cat(pcm, labels)


class Loudness(Tagger):
    """A tagger of one sort of sound, for YAMNet's file is no part of the project."""

    def __init__(self) -> None:
        pass

    def scores(self, waveforms):
        assert waveforms.shape[1] == 2 * RATE
        louder = np.abs(waveforms).mean(axis=1, keepdims=True) > 0.1
        return np.where(louder, 1.0, 0.0).repeat(521, axis=1).astype(np.float32)


def train(sound, path, log, tagger=None, start=None, epochs=1):
    opinions = TeacherOpinions(None, sound)
    return train_backbone(sound, opinions, tagger, path, epochs, 0, log, start)


def weights(model) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_a_cycle_begins_with_the_averages_of_the_one_before(sound, tmp_path, monkeypatch):
    log: list[dict] = []
    first = train(sound, tmp_path / "first.pt", log.append)
    monkeypatch.setattr(backbone, "CYCLE_PEAK_RATE", 1e-12)
    second = train(sound, tmp_path / "second.pt", log.append, start=tmp_path / "first.pt")
    assert torch.allclose(weights(first), weights(second), atol=1e-6)
    fresh = train(sound, tmp_path / "third.pt", log.append)
    assert torch.equal(weights(first), weights(fresh))
    assert [row["step"] for row in log] == [1, 1, 1]


def test_tags_are_learned_beside_cries_and_saved(sound, tmp_path):
    log: list[dict] = []
    train(sound, tmp_path / "tags.pt", log.append, tagger=Loudness())
    saved = torch.load(tmp_path / "tags.pt", weights_only=True)
    assert saved["tags"]["weight"].shape == (521, 256)
    train(sound, tmp_path / "plain.pt", log.append)
    assert log[0]["loss"] > log[1]["loss"]


def test_a_checkpoint_with_other_parts_is_refused(sound, tmp_path):
    train(sound, tmp_path / "run.pt", lambda row: None)
    with pytest.raises(Exception, match="another teacher"):
        train(sound, tmp_path / "run.pt", lambda row: None, tagger=Loudness())


def test_features_are_means_and_loudest_moments():
    torch.manual_seed(0)
    student, maps = Student().eval(), []
    student.last.register_forward_hook(lambda layer, given, got: maps.append(got))
    rng = np.random.default_rng(0)
    steady = np.tile(0.1 * rng.normal(size=RATE // 4), 4)
    burst = np.where(np.arange(RATE) < RATE // 4, steady, 0.0)
    with torch.inference_mode():
        spectrograms = torch.from_numpy(log_mel(np.float32([steady, burst])))[:, None]
        features = student(spectrograms)
    assert features.shape == (2, 256)
    assert (features >= 0).all()
    moments = maps[0].mean(dim=2)
    assert torch.allclose(features[:, :128], moments[:, :128].mean(dim=2), atol=1e-5)
    assert torch.allclose(features[:, 128:], moments[:, 128:].amax(dim=2), atol=1e-5)


def test_turned_down_it_hears_what_is_softer():
    torch.manual_seed(0)
    student = Student().eval()
    torch.nn.init.uniform_(student.gain, 0.5, 1.5)
    torch.nn.init.uniform_(student.offset, -0.5, 0.5)
    spectrograms = 10 * torch.randn(3, 1, 64, 64) - 30
    with torch.inference_mode():
        softer = student(spectrograms - 12.0)
        student.turn_down(12.0)
        assert torch.allclose(student(spectrograms), softer, atol=1e-4)


def test_the_mean_of_cycles_lies_between_them(sound, tmp_path):
    first = train(sound, tmp_path / "1.pt", lambda row: None)
    second = train(sound, tmp_path / "2.pt", lambda row: None, start=tmp_path / "1.pt")
    between = mean_of([tmp_path / "1.pt", tmp_path / "2.pt"])
    assert not between.training
    assert not torch.allclose(weights(first), weights(second), atol=1e-4)
    assert torch.allclose(weights(between), (weights(first) + weights(second)) / 2, atol=1e-6)
    assert torch.equal(weights(mean_of([tmp_path / "1.pt"])), weights(first))


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_the_shuffle_brings_every_channel_to_be_heard(stage):
    units = Student().eval().stages[stage]
    heard = []
    for unit in units:
        unit.convolved.register_forward_pre_hook(lambda layer, given: heard.append(given[0]))
    half = STAGE_CHANNELS[stage] // 2
    waiting, passed = torch.rand(2, 1, half // 2, 4, 4)
    units((waiting, passed, torch.rand(1, half, 4, 4)))
    for quarter in (waiting, passed):
        assert sum(torch.equal(x[:, : half // 2], quarter) for x in heard) == 1
