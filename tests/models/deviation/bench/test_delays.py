import numpy as np
import pytest

from models.detector.paper.rows import Row
from models.deviation.bench import delays, drift_page, recorded
from models.deviation.bench.delays import LATE, SOON, measure, over_and_over, raised, starts, steps
from models.deviation.bench.voices import AMOUNTS, Shape, Sizes, Voices, read_voices
from models.deviation.bench.watchers import EXPLAINED, METHODS, AutoencoderWatcher, Method
from models.synthesis.infant import Trait

SETTINGS = {
    "usual": 120,
    "followed": 60,
    "ramp": 20,
    "infants": 2,
    "seed": 3,
    "embedder": "e",
    "ward": "w",
}
MADE = {"command": "c", "date": "d", "machine": "m", "commit": "k"}


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


def test_cries_come_equally_often_and_never_the_same_twice_in_a_round():
    dealt = over_and_over(np.arange(5)[:, None], 12, [1, 2])[:, 0]
    assert sorted(dealt[:5]) == sorted(dealt[5:10]) == [0, 1, 2, 3, 4]
    assert len(set(dealt[10:])) == 2
    assert list(dealt[:5]) != list(dealt[5:10])


@pytest.fixture
def voices(nursery):
    """Two infants whose pitch, and nothing else, moves the embedding."""
    rng = np.random.default_rng(1)
    usual, steps, ramps = [], [], []
    for _ in range(2):
        own, other = nursery.infant(rng), nursery.infant(rng)
        usual.append(nursery.cries(own, 120, rng))

        def moved(shares, own=own, other=other):
            return [
                [
                    [
                        nursery.cries(own + (t is Trait.PITCH) * s * a * (other - own), 1, rng)[0]
                        for s in shares
                    ]
                    for a in AMOUNTS
                ]
                for t in Trait
            ]

        steps.append(moved(np.ones(60)))
        ramps.append(moved(np.linspace(0, 1, 20)))
    return Voices(np.array(usual), np.array(steps), np.array(ramps), "identity-7")


def test_a_ramp_ends_where_a_step_begins(voices):
    pitch = list(Trait).index(Trait.PITCH)
    order = np.random.default_rng(0)
    ramp = voices.drift(0, pitch, 2, Shape.RAMP, order)
    step = voices.drift(0, pitch, 2, Shape.STEP, order)
    assert ramp.shape == step.shape == (60, 192)
    assert np.array_equal(ramp[:20], voices.ramps[0, pitch, 2])
    assert {tuple(c) for c in ramp[20:]} < {tuple(c) for c in step}
    assert not np.array_equal(step, voices.steps[0, pitch, 2])


def test_what_moves_is_seen_and_what_does_not_is_not(ward, voices, monkeypatch):
    monkeypatch.setattr(delays, "NULL_CRIES", 100)
    ticks = []
    found = measure(METHODS[0], voices, ward, lambda: ticks.append(1), (SOON, 48))
    assert len(ticks) == steps(2)
    assert len(found["false"]) == 2 * delays.STREAMS_AN_INFANT
    for settling in (SOON, 48):
        assert all(0 < d < 40 for d in found["delays"][f"{settling}/step/pitch/2.0"])
        assert found["delays"][f"{settling}/step/formants/2.0"].count(None) >= 4
    row = Row("drift", "shipped", SETTINGS, found, MADE)
    page = drift_page.text({"shipped": row})
    assert page.count("| pitch |") == 1
    assert EXPLAINED["shipped"] in page
    assert "recorded infants\n" not in page


def test_recorded_infants_have_a_table_of_their_own(ward, nursery, tmp_path, monkeypatch):
    """Steps are dealt out around any infant's mean, own cries again and again."""
    monkeypatch.setattr(recorded, "NULL_CRIES", 60)
    monkeypatch.setattr(recorded, "DEALT_INFANTS", 3)
    rng = np.random.default_rng(6)
    names = ["a"] * 8 + ["b"] * 2 + ["c"]
    infants = {name: nursery.infant(rng) for name in "abc"}
    x = np.array([nursery.cries(infants[name], 1, rng)[0] for name in names])
    splits = np.where(np.array(names) == "c", "test", "train")
    np.savez(tmp_path / "e.npz", embeddings=x, infants=np.array(names), splits=splits)
    found = recorded.streams(tmp_path / "e.npz")
    assert len(found["own"]) == recorded.STREAMS_AN_INFANT
    assert {tuple(cry) for cry in found["own"][0]} == {tuple(cry) for cry in x[:8]}
    assert [stream.shape for stream in found["dealt"]] == [(84, 192)] * 3
    figures = recorded.measure(METHODS[0], 1.0, found, ward, lambda: None)
    assert [len(counts) for counts in figures["false"].values()] == [recorded.STREAMS_AN_INFANT, 3]
    named = {f"{SOON}/{s}/{t}/{a}": [3] for s in Shape for t in Trait for a in AMOUNTS}
    row = Row("drift", "shipped", SETTINGS, {"false": [0, 2], "delays": named}, MADE)
    page = drift_page.text({"shipped": row}, {"shipped": Row("r", "s", {}, figures, MADE)})
    assert f"| {EXPLAINED['shipped']} | own | {recorded.STREAMS_AN_INFANT} |" in page


def test_the_plot_is_the_same_each_time_it_is_drawn(tmp_path):
    figures = {
        "delays": {f"{SOON}/{s}/{t}/{a}": [3, None] for s in Shape for t in Trait for a in AMOUNTS}
    }
    row = Row("drift", "shipped", SETTINGS, figures, {})
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


def test_voices_are_made_once_for_each_seed(tmp_path):
    sizes, made = Sizes(infants=2, usual=2, followed=2, ramp=1), []
    first = read_voices(tmp_path, sizes, 5, lambda: made.append(1))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = read_voices(tmp_path, sizes, 5, lambda: made.append(1))
    assert made == [1] * 4
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    assert first.usual.shape == (2, 2, 192)
    assert first.steps.shape == (2, len(Trait), len(AMOUNTS), 2, 192)
    assert first.ramps.shape == (2, len(Trait), len(AMOUNTS), 1, 192)
    assert np.array_equal(first.steps, again.steps)
    assert np.allclose(np.linalg.norm(first.steps, axis=-1), 1, atol=1e-5)
    other = read_voices(tmp_path, Sizes(1, 2, 2, 1), 6, lambda: None)
    assert not np.allclose(other.usual[0], first.usual[0])


def test_late_is_later_than_soon():
    assert SOON < LATE <= Sizes().usual - 24
