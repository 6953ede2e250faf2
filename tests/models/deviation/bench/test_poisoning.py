import numpy as np
import pytest

from models.detector.paper.rows import Row
from models.deviation.baseline import READY_AFTER
from models.deviation.bench import poison
from models.deviation.bench.poisoning import A_FIT, Cries, Plan, grown, poisoned, read_cries
from models.deviation.ward import WardModel

# Few, as embedding takes long: docs/deviation/poisoning.md has more, and there the rate moves less.
SMALL = Plan(infants=3, heard=36, probes=36, growing=24, grown=6, seed=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A few synthetic infants' cries through the embedder, and where they are kept."""
    folder = tmp_path_factory.mktemp("cries")
    return read_cries(folder, SMALL, lambda: None), folder


@pytest.fixture
def plan():
    return Plan(infants=4, growing=200)


@pytest.fixture
def cries(nursery, plan):
    """Made-up infants, who grow by three of the ward's standard deviations."""
    rng, usual, growth = np.random.default_rng(2), [], []
    for _ in range(plan.infants):
        own, other = nursery.infant(rng), nursery.infant(rng)
        usual.append(nursery.cries(own, plan.heard + plan.probes, rng))
        ages = np.minimum(1.0, np.arange(plan.growing + plan.grown) / plan.growing)
        growth.append([nursery.cries(own + 0.35 * a * (other - own), 1, rng)[0] for a in ages])
    return Cries(np.array(usual), np.array(growth))


def test_cries_are_made_once_for_each_plan(made):
    cries, folder = made
    assert cries.usual.shape == (3, 72, 192)
    assert cries.growth.shape == (3, 30, 192)
    assert np.allclose(np.linalg.norm(cries.growth, axis=-1), 1.0, atol=1e-5)
    files = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = read_cries(folder, SMALL, lambda: None)
    assert np.array_equal(again.growth, cries.growth)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == files


@pytest.mark.parametrize("begins", [0, READY_AFTER])
def test_through_the_embedder_a_neighbour_hardly_moves_the_alarm_rate(made, begins):
    found = poisoned(made[0], SMALL, WardModel.load(), begins)
    assert abs(np.mean(found["mixed"]) - np.mean(found["clean"])) < 0.1
    assert np.mean(found["neighbour_clean"]) > np.mean(found["clean"])


def test_through_the_embedder_a_grown_infant_is_away_from_its_admission(made):
    found = grown(made[0], SMALL, WardModel.load())
    assert min(found["drift_sigma"]) > 1.0


def test_a_neighbour_is_kept_out_and_still_strange(cries, plan, ward):
    found = poisoned(cries, plan, ward, READY_AFTER)
    assert np.mean(found["learnt"]) < 0.1
    assert abs(np.mean(found["mixed"]) - np.mean(found["clean"])) < 0.05
    assert min(found["neighbour_mixed"]) > 0.9


def test_growth_is_followed_and_shown(cries, plan, ward):
    found = grown(cries, plan, ward)
    assert min(found["accepted"]) > 0.8
    assert np.mean(found["alarms"]) < 0.15 < np.mean(found["alarms_frozen"])
    assert all(found["drifting"])
    assert min(found["drift_sigma"]) > 1.0


def test_the_page_says_what_was_measured(cries, plan, ward):
    figures = {
        "poisoned": {"0, 6": poisoned(cries, plan, ward, 0, A_FIT)},
        "grown": grown(cries, plan, ward),
    }
    settings = {"infants": 4, "seed": 3, "heard": 60, "probes": 40, "growing": 200, "grown": 40}
    settings |= {"embedder": "identity-7", "ward": "w"}
    page = poison.text(
        Row("t", "n", settings, figures, {"command": "c", "date": "d", "machine": "m"})
    )
    assert "| from cry 1 on, 6 at a time |" in page
    assert "less than 0.05" in page
    assert "NOT" not in page
    moved = {"clean": [0.0], "mixed": [0.4], "learnt": [1.0]}
    figures["poisoned"]["0, 6"] |= moved | {"neighbour_clean": [1.0], "neighbour_mixed": [0.2]}
    row = Row("t", "n", settings, figures, {"command": "c", "date": "d", "machine": "m"})
    assert "+0.400 at most: NOT less" in poison.text(row)
