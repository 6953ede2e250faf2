"""The standalone classifier is trained by the paper's recipe and goes on after an interruption."""

import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.detector.paper import standalone  # noqa: E402
from models.detector.paper.standalone import (  # noqa: E402
    Examples,
    scores_of,
    train_standalone,
)


def examples(count: int = 48) -> Examples:
    """Seconds with a bright band are cries."""
    rng = np.random.default_rng(0)
    log_mels = rng.normal(-40, 5, size=(count + 5, 64, 64)).astype(np.float32)
    rows = rng.permutation(count + 5)[:count]
    labels = (np.arange(count) % 2).astype(np.float32)
    log_mels[rows[labels == 1], 20:30] += 30
    return Examples(log_mels, rows, labels)


def losses(run) -> list[float]:
    with (run / "log.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_it_learns_and_scores_in_0_to_1(tmp_path):
    given = examples()
    model = train_standalone("shufflenet-0.5", given, tmp_path, epochs=24)
    assert losses(tmp_path)[-1] < 0.95 * losses(tmp_path)[0]
    scores = scores_of(model, given.log_mels)
    assert scores.shape == (len(given.log_mels),)
    assert ((scores > 0) & (scores < 1)).all()


def test_a_training_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    given = examples(40)
    whole = train_standalone("squeezenet", given, tmp_path / "whole", epochs=3)
    with monkeypatch.context() as patched:
        rows = []

        def log_and_interrupt(path, row):
            rows.append(row)
            if row["epoch"] == 2:
                raise KeyboardInterrupt

        patched.setattr(standalone, "append_row", log_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_standalone("squeezenet", given, tmp_path / "parts", epochs=3)
    parts = train_standalone("squeezenet", given, tmp_path / "parts", epochs=3)
    torch.testing.assert_close(parts.state_dict(), whole.state_dict())
    with (tmp_path / "parts" / "log.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["2", "3"]


def test_the_learning_rate_falls_tenfold_every_third_of_the_epochs(tmp_path):
    train_standalone("shufflenet-0.5", examples(4), tmp_path, epochs=6)
    saved = torch.load(tmp_path / "classifier.pt", weights_only=True)["parts"]
    (group,) = saved["optimizer"]["param_groups"]
    assert (group["momentum"], group["weight_decay"]) == (0.9, 0)
    assert saved["schedule"]["step_size"] == 2
    assert group["lr"] == pytest.approx(0.001 * 0.1**3)
