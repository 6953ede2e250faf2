import numpy as np
import pytest

from models.detector.paper.rows import Row
from models.deviation.bench import delays, drift_page
from models.deviation.bench.delays import measure, raised, starts
from models.deviation.bench.voices import AMOUNTS, Sizes, Voices, read_voices
from models.deviation.bench.watchers import EXPLAINED, METHODS, AutoencoderWatcher, Method
from models.synthesis.infant import Trait


def test_an_alarm_starts_where_the_limit_is_reached_from_below():
    assert starts(np.array([0.0, 2, 2, 0, 2]), 1.0) == 2
    assert starts(np.array([2.0, 2, 0]), 1.0) == 1
    assert starts(np.zeros(3), 1.0) == 0


def test_the_raised_limit_is_the_lowest_with_one_start_a_series():
    rng = np.random.default_rng(0)
    series = [rng.normal(size=500) for _ in range(10)]
    limit = raised(series)
    below = np.max([x for s in series for x in s if x < limit])
    assert np.mean([starts(s, limit) for s in series]) <= 1
    assert np.mean([starts(s, below) for s in series]) > 1


@pytest.fixture
def voices(nursery):
    """Two infants whose pitch, and nothing else, moves the embedding."""
    rng = np.random.default_rng(1)
    usual, moved = [], []
    for _ in range(2):
        own, other = nursery.infant(rng), nursery.infant(rng)
        usual.append(nursery.cries(own, 120, rng))
        moved.append(
            [
                [
                    nursery.cries(own + (trait is Trait.PITCH) * a * (other - own), 30, rng)
                    for a in AMOUNTS
                ]
                for trait in Trait
            ]
        )
    return Voices(np.array(usual), np.array(moved), "identity-7")


def test_what_moves_is_seen_and_what_does_not_is_not(ward, voices, monkeypatch):
    monkeypatch.setattr(delays, "NULL_CRIES", 100)
    found = measure(METHODS[0], voices, ward, lambda: None)
    assert len(found["false"]) == 2
    assert all(0 < d < 40 for d in found["delays"]["step/pitch/2.0"])
    assert found["delays"]["step/formants/2.0"].count(None) >= 1
    row = Row(
        "drift",
        "shipped",
        {"usual": 120, "drifted": 30, "infants": 2, "embedder": "e", "ward": "w"},
        found,
        {"command": "c", "date": "d", "machine": "m", "commit": "k"},
    )
    page = drift_page.text({"shipped": row})
    assert "| pitch |" in page
    assert EXPLAINED["shipped"] in page


def test_the_plot_is_the_same_each_time_it_is_drawn(tmp_path):
    figures = {
        "delays": {
            f"{s}/{t}/{a}": [3, None] for s in delays.Shape for t in Trait for a in delays.AMOUNTS
        }
    }
    row = Row("drift", "shipped", {}, figures, {})
    for name in ("one.svg", "two.svg"):
        drift_page.draw({"shipped": row}, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert drift_page.median([3, None, None]) == np.inf


def test_an_autoencoder_alarms_on_another_infant_by_its_own_rule(ward, nursery):
    rng = np.random.default_rng(2)
    watcher = AutoencoderWatcher(ward, nursery.cries(nursery.infant(rng), 24, rng))
    others = [watcher.hear(c, i) for i, c in enumerate(nursery.cries(nursery.infant(rng), 5, rng))]
    assert min(others) > 1


def test_every_method_is_explained():
    assert [method.name for method in METHODS] == list(EXPLAINED)
    assert all(isinstance(method, Method) for method in METHODS)


def test_voices_are_made_once(tmp_path):
    sizes, made = Sizes(infants=1, usual=2, drifted=1), []
    first = read_voices(tmp_path / "voices.npz", sizes, lambda: made.append(1))
    again = read_voices(tmp_path / "voices.npz", sizes, lambda: made.append(1))
    assert made == [1]
    assert first.usual.shape == (1, 2, 192)
    assert first.moved.shape == (1, len(Trait), len(AMOUNTS), 1, 192)
    assert np.array_equal(first.moved, again.moved)
    assert np.allclose(np.linalg.norm(first.moved, axis=-1), 1, atol=1e-5)
