import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from models.deviation.bench import simulation
from models.deviation.bench.contestants import CONTESTANTS, Contestant, cost
from models.deviation.bench.harness import Known
from models.deviation.bench.nursery import Nursery
from models.deviation.bench.protocol import Corpus, Kind, figures, folds, scored
from models.deviation.detectors.every import DETECTORS


@pytest.fixture(scope="module")
def corpus():
    """Eighty infants on two platforms."""
    x, infants = Nursery(3).recordings(80, np.random.default_rng(5), most=10)
    kinds = [Kind("ios" if int(i[-1]) % 2 else "android", "04", "f") for i in infants]
    return Corpus(Known(x, np.array(infants), list(range(len(infants)))), kinds)


def test_a_path_tells_platform_age_and_sex():
    path = "donateacry/donateacry-ios-upload-bucket/0d1e-4bea-1430-1.7-m-26-hu.caf"
    assert Kind.of(path) == Kind("ios", "26", "m")
    assert Kind.of("somewhere/else.wav") == Kind()


def test_the_platform_counts_for_more_than_age_and_sex():
    here = Kind("ios", "26", "m")
    assert here.distance(Kind("ios", "04", "f")) < here.distance(Kind("android", "26", "m"))
    assert here.distance(Kind("ios", "26", "f")) < here.distance(Kind("ios", "04", "m"))


def test_the_earlier_half_enrols_and_others_play_the_deviations(corpus):
    names = corpus.known.infants
    seen = set()
    for fold in folds(corpus, repeats=1):
        for trial in fold.trials:
            seen.add(trial.infant)
            rows = np.flatnonzero(names == trial.infant)
            assert [*trial.enrol, *trial.usual] == rows.tolist()
            assert len(trial.usual) - len(trial.enrol) in (0, 1)
            assert len(trial.deviations) == len(trial.usual)
            assert trial.infant not in names[trial.deviations]
            platforms = {corpus.kinds[row].platform for row in trial.deviations}
            assert platforms == {corpus.kinds[rows[0]].platform}
    assert seen == {n for n in np.unique(names) if (names == n).sum() >= 4}


def test_neither_infant_nor_deviations_were_seen_by_the_ward(corpus):
    names = corpus.known.infants
    for fold in folds(corpus, repeats=1):
        met = {stranger.infant for stranger in fold.wards.strangers}
        for trial in fold.trials:
            assert met.isdisjoint({trial.infant, *names[trial.deviations]})


def test_figures_are_those_of_scikit_learn():
    rng = np.random.default_rng(6)
    own = np.stack([rng.normal(size=9).round(1), rng.uniform(0, 0.2, 9)], axis=1)
    other = np.stack([rng.normal(1, 1, 7).round(1), rng.uniform(0, 0.1, 7)], axis=1)
    truth = [0] * 9 + [1] * 7
    sigma, alarm = np.concatenate([own, other]).T[0], np.concatenate([own, other]).T[1] < 0.05
    said = scored(own, other)
    assert said["auc"] == pytest.approx(roc_auc_score(truth, sigma))
    assert said["f1"] == pytest.approx(f1_score(truth, alarm))
    assert said["recall"] == pytest.approx(alarm[9:].mean())
    assert said["fpr"] == pytest.approx(alarm[:9].mean())
    distinct = sigma + 1e-6 * np.arange(16)
    said = scored(np.stack([distinct[:9], own[:, 1]], 1), np.stack([distinct[9:], other[:, 1]], 1))
    assert said["ap"] == pytest.approx(average_precision_score(truth, distinct))


def test_infants_who_stand_apart_are_told_apart_by_the_stream(corpus):
    made = list(folds(corpus, repeats=1))
    ticks = []
    found = figures(Contestant("gaussian", True), made, corpus, lambda: ticks.append(1))
    assert len(ticks) == len(made)
    assert np.mean([f["auc"] for f in found.values()]) > 0.95
    assert np.mean([f["fpr"] for f in found.values()]) < 0.15


def test_every_detector_stands_in_both_spaces():
    names = [c.name for c in CONTESTANTS]
    assert len(names) == len(set(names)) == 2 * len(DETECTORS)
    assert sum(c.is_default for c in CONTESTANTS) == 1


def test_costs_are_measured_on_a_full_memory(ward, nursery):
    rng = np.random.default_rng(7)
    cries = nursery.cries(nursery.infant(rng), 10, rng)
    assert cost(Contestant("neighbours", False), ward, cries)["bytes"] == 96 * 192 * 4
    assert cost(Contestant("gaussian", True), ward, cries)["score_us"] > 0


def test_ready_is_the_fewest_cries_that_suffice():
    of = {"2": {"auc": 0.8}, "4": {"auc": 0.91}, "8": {"auc": 0.95}}
    assert simulation.ready_after(of) == 4
    assert simulation.ready_after({"2": {"auc": 0.5}}) is None
