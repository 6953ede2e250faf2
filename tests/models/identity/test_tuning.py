"""Tuning tunes what it should, logs what it saw, and goes on where it was stopped."""

import csv
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.identity.network import EcapaTdnn, Layout  # noqa: E402
from models.identity.pairs import CryFrames  # noqa: E402
from models.identity.tuning import Tuning, embed_recordings, tune  # noqa: E402
from models.identity.verification import Owner  # noqa: E402

NARROW = Layout(channels=(16, 16, 24), kernel_sizes=(5, 3, 3), dilations=(1, 2, 3))
SETTINGS = Tuning(steps=4, infants_per_batch=4, frames_per_view=40, frozen_layers=1, check_every=2)
HOUR_MS = 3_600_000


def cries():
    """Six infants with three recordings each, every infant with a spectrum of its own."""
    rng = np.random.default_rng(0)
    voices = 10 * rng.standard_normal((6, 80))
    return [
        CryFrames(
            Owner(f"i{i}", f"i{i}", "ios", hour * HOUR_MS),
            (rng.standard_normal((90, 1)) * voices[i] + rng.standard_normal((90, 80))).astype("f"),
        )
        for i in range(6)
        for hour in range(3)
    ]


def fresh():
    torch.manual_seed(0)
    return EcapaTdnn(NARROW)


def logged(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_tuned_layers_move_and_the_frozen_ones_do_not(tmp_path):
    before, after = fresh(), fresh()
    tune(after, cries(), {}, SETTINGS, tmp_path)
    old, new = before.state_dict(), after.state_dict()
    assert all(torch.equal(old[n], new[n]) for n in old if n.startswith("blocks.0."))
    assert not torch.equal(old["fc.conv.weight"], new["fc.conv.weight"])


def test_every_check_is_logged_from_the_start_on(tmp_path):
    tune(fresh(), cries(), {"val": cries()}, SETTINGS, tmp_path)
    rows = logged(tmp_path)
    assert [row["step"] for row in rows] == ["0", "2", "4"]
    assert all(0 <= float(row["val_eer"]) <= 1 for row in rows)
    assert float(rows[-1]["loss"]) > 0


@pytest.mark.parametrize("loss", [{"loss": "nt-xent"}, {"loss": "ge2e", "views": 3}])
def test_a_stopped_run_ends_as_one_that_was_not(tmp_path, loss):
    settings = replace(SETTINGS, learning_rate=1e-2, **loss)
    whole = tune(fresh(), cries(), {}, settings, tmp_path / "whole")
    tune(fresh(), cries(), {}, replace(settings, steps=2), tmp_path / "parts")
    resumed = tune(fresh(), cries(), {}, settings, tmp_path / "parts", resume=True)
    for name, value in whole.state_dict().items():
        assert torch.allclose(value.float(), resumed.state_dict()[name].float(), atol=1e-6), name
    assert [row["step"] for row in logged(tmp_path / "parts")] == ["0", "2", "4"]


def test_a_run_is_not_resumed_with_other_settings(tmp_path):
    tune(fresh(), cries(), {}, SETTINGS, tmp_path)
    other = replace(SETTINGS, learning_rate=1.0)
    with pytest.raises(ValueError, match="learning_rate"):
        tune(fresh(), cries(), {}, other, tmp_path, resume=True)


def test_recordings_become_unit_vectors():
    embeddings = embed_recordings(fresh(), cries()[:3])
    assert embeddings.shape == (3, 192)
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
