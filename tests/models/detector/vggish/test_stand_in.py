"""The stand-in learns to tell kinds of sound apart."""

import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.detector.vggish.features import log_mel  # noqa: E402
from models.detector.vggish.stand_in import train_stand_in  # noqa: E402

WIDTH = 1 / 16


def spectrograms() -> tuple[np.ndarray, np.ndarray]:
    """Tones of three heights in noise."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(3, size=96)
    time = np.arange(16_000) / 16_000
    tones = np.sin(2 * np.pi * np.array([300, 1000, 3000])[kinds, None] * time)
    return log_mel((0.1 * tones + 0.01 * rng.normal(size=tones.shape)).astype(np.float32)), kinds


def accuracies(run) -> list[float]:
    with (run / "log.csv").open() as file:
        return [float(row["accuracy"]) for row in csv.DictReader(file)]


def test_it_learns_kinds_and_goes_on_where_it_was_interrupted(tmp_path):
    log_mels, kinds = spectrograms()
    network = train_stand_in(log_mels, kinds, tmp_path, epochs=12, width=WIDTH)
    assert accuracies(tmp_path)[-1] > 0.9
    again = train_stand_in(log_mels, kinds, tmp_path, epochs=12, width=WIDTH)
    assert len(accuracies(tmp_path)) == 12
    torch.testing.assert_close(again.state_dict(), network.state_dict())
    assert not again.training


def test_its_features_have_the_published_size(tmp_path):
    log_mels, kinds = spectrograms()
    network = train_stand_in(log_mels, kinds, tmp_path, epochs=1, width=WIDTH)
    assert network(torch.from_numpy(log_mels[:2])[:, None]).shape == (2, 128)
