import numpy as np
import pytest

from models.deviation.bench.nursery import SIZE, Nursery
from models.deviation.population import within_and_between
from models.deviation.strangers import best_evenness, first_of_sittings, strangers_of
from models.deviation.ward import WardModel


def corpus(between, within, infants=60, cries=4):
    """Cries of infants that differ by `between` and scatter by `within`, each float [192]."""
    rng = np.random.default_rng(3)
    spots = np.repeat(rng.normal(size=(infants, SIZE)) * between, cries, axis=0)
    x = spots + rng.normal(size=spots.shape) * within
    return x, np.repeat(np.arange(infants), cries).astype(str)


def test_where_few_directions_carry_the_scatter_whitening_is_kept():
    """Loud in a tenth of the directions, where nothing is to be learnt about the infant."""
    within = np.where(np.arange(SIZE) < 20, 4.0, 0.5)
    x, names = corpus(np.full(SIZE, 0.35), within)
    assert best_evenness(x, names, np.ones(len(names), bool)) == 0.0


def test_where_cries_scatter_evenly_whitening_is_left_out():
    x, names = corpus(np.full(SIZE, 0.2), np.ones(SIZE))
    assert best_evenness(x, names, np.ones(len(names), bool)) == 1.0


def test_all_evenness_takes_every_direction_for_alike():
    within = np.where(np.arange(SIZE) < 20, 4.0, 0.5)
    x, names = corpus(np.full(SIZE, 0.1), within, infants=400)

    def stretch(evenness):
        values = np.linalg.svd(within_and_between(x, names, evenness)[1], compute_uv=False)
        return values.max() / values.min()

    assert stretch(0.0) > 4.0 / 0.5
    assert stretch(1.0) == pytest.approx(1.0)


def test_a_ward_takes_the_best_unless_it_is_told():
    x, names = Nursery(2).recordings(60, np.random.default_rng(0))
    chosen = best_evenness(x, np.array(names), first_of_sittings(names, None))
    assert WardModel.fit(x, names).version == WardModel.fit(x, names, evenness=chosen).version
    assert WardModel.fit(x, names).version != WardModel.fit(x, names, evenness=1.0).version


def test_a_strangers_population_knows_neither_it_nor_the_others_held_against_it():
    """One infant's cries moved: its own population, and that of who meets it, stays as it was."""
    x, names = corpus(np.full(SIZE, 0.5), np.ones(SIZE), infants=16)
    firsts = np.ones(len(names), bool)
    before = {s.infant: s for s in strangers_of(x, names, firsts, 0.5)}
    x[names == "3"] += 5.0
    after = {s.infant: s for s in strangers_of(x, names, firsts, 0.5)}
    same = {
        i for i in before if np.array_equal(before[i].population.mean, after[i].population.mean)
    }
    assert "3" in same
    assert {i for i in before if not np.array_equal(before[i].others, after[i].others)} < same
    assert len(same) < len(before)


def test_one_row_of_each_sitting_is_its_first():
    firsts = first_of_sittings(["a", "a", "b", "a", "b"], [0, 0, 0, 1, 0])
    assert firsts.tolist() == [True, False, True, True, False]
    assert first_of_sittings(["a", "a"], None).all()
