"""Training on bags finds which seconds made a bag abnormal."""

import csv
from itertools import islice

import numpy as np
import pytest

torch = pytest.importorskip("torch")
metrics = pytest.importorskip("sklearn.metrics")

from models.detector.mil.losses import RankingLoss  # noqa: E402
from models.detector.mil.network import BagNetwork  # noqa: E402
from models.detector.mil.train import (  # noqa: E402
    BagTraining,
    Loader,
    bags_of,
    score_seconds,
    train_bags,
)

SIZE, SECONDS = 16, 5


def recordings(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Half of the recordings hold one or two seconds that are like nothing else."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count * SECONDS, SIZE)).astype(np.float32)
    cries = np.zeros(count * SECONDS, bool)
    for number in range(0, count, 2):
        first = number * SECONDS + rng.integers(SECONDS - 1)
        cries[first : first + rng.integers(1, 3)] = True
    features[cries, :4] += 3
    return features, cries, np.split(np.arange(count * SECONDS), count)


def bags(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    features, _, stretches = recordings(count, seed=0)
    return bags_of(features, stretches[::2], SECONDS), bags_of(features, stretches[1::2], SECONDS)


@pytest.mark.parametrize(
    "training",
    [
        BagTraining(steps=300, batch=32),
        BagTraining(steps=300, batch=32, loss=RankingLoss(), refinement="plain"),
    ],
    ids=["magnitudes", "ranking"],
)
def test_seconds_are_found_from_labels_of_recordings(tmp_path, training):
    network = train_bags(*bags(), tmp_path, training)
    features, cries, stretches = recordings(40, seed=1)
    scores = score_seconds(network, features, stretches)
    assert metrics.roc_auc_score(cries, scores) > 0.95


def test_a_training_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr("models.detector.mil.train.SAVED_STEPS", 10)
    training = BagTraining(steps=20, batch=8)
    whole = train_bags(*bags(), tmp_path / "whole", training)

    def save_and_interrupt(state, path):
        save(state, path)
        raise KeyboardInterrupt

    save = torch.save
    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", save_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_bags(*bags(), tmp_path / "parts", training)
    # What was being written is whole only once it has its name.
    (tmp_path / "parts" / "bags.partial").rename(tmp_path / "parts" / "bags.pt")
    assert torch.load(tmp_path / "parts" / "bags.pt", weights_only=True)["done"] == 10
    parts = train_bags(*bags(), tmp_path / "parts", training)
    torch.testing.assert_close(parts.state_dict(), whole.state_dict())


def test_the_weights_that_the_judge_likes_best_are_returned(tmp_path, monkeypatch):
    monkeypatch.setattr("models.detector.mil.train.JUDGED_STEPS", 2)
    seen = []

    def judge(network: BagNetwork) -> float:
        assert not network.training
        seen.append({name: weight.clone() for name, weight in network.state_dict().items()})
        return (0.5, 0.9, 0.7)[len(seen) - 1]

    training = BagTraining(steps=6, batch=8)
    network = train_bags(*bags(), tmp_path, training, judge)
    torch.testing.assert_close(network.state_dict(), seen[1])
    assert len(seen) == 3
    again = train_bags(*bags(), tmp_path, training, judge)
    torch.testing.assert_close(again.state_dict(), seen[1])
    assert len(seen) == 3


def test_the_loss_is_logged(tmp_path):
    train_bags(*bags(), tmp_path, BagTraining(steps=3, batch=4))
    with (tmp_path / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["step"] == "3"
    assert float(row["loss"]) > 0


def test_another_training_is_not_gone_on_with(tmp_path):
    train_bags(*bags(), tmp_path, BagTraining(steps=2, batch=4))
    with pytest.raises(ValueError, match="is of a training with"):
        train_bags(*bags(), tmp_path, BagTraining(steps=2, batch=8))


def test_a_loader_passes_every_bag_before_any_comes_again():
    loader = Loader(torch.arange(5.0)[:, None, None], batch=3, seed=0)
    drawn = torch.cat(list(islice(loader.batches(), 5))).flatten().tolist()
    for first in (0, 5, 10):
        assert sorted(drawn[first : first + 5]) == [0, 1, 2, 3, 4]
    assert drawn[:5] != drawn[5:10]


def test_a_loader_can_begin_at_any_step():
    loader = Loader(torch.arange(7.0)[:, None, None], batch=3, seed=4)
    draws = list(islice(loader.batches(), 6))
    torch.testing.assert_close(next(loader.batches(5)), draws[5])


def test_no_bags_are_refused():
    with pytest.raises(ValueError, match="no bags"):
        Loader(torch.zeros(0, 5, 4), batch=2, seed=0)


def test_seconds_are_scored_in_their_own_stretch_alone():
    torch.manual_seed(0)
    network = BagNetwork(SIZE).eval()
    features = np.random.default_rng(0).normal(size=(7, SIZE)).astype(np.float32)
    stretches = [np.arange(4), np.arange(4, 7)]
    together = score_seconds(network, features, stretches)
    features[4:] += 1
    np.testing.assert_allclose(score_seconds(network, features, stretches)[:4], together[:4])
