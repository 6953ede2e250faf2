"""What every personal detector promises, whichever it is."""

import subprocess
import sys

import numpy as np
import pytest
from river.base import AnomalyDetector

from models.deviation.detectors.every import DEFAULT, DETECTORS

# Of 192 numbers that each say little these make less than the others do; above chance is all that
# is promised (see their docstrings).
WEAK = {"autoencoder": 0.75, "half-space-trees": 0.6, "linear-svm": 0.7}
# Weights do not fit beside the cries: such a detector cannot ship.
LARGE = {"autoencoder"}
MOST_BYTES = 100_000
# So few that a short series passes the point where the oldest are let go.
KEPT = 12


def named(name, ward, **settings):
    return DETECTORS[name](ward, **settings)


@pytest.fixture(params=DETECTORS)
def name(request):
    return request.param


@pytest.fixture
def make(name, ward):
    return lambda: named(name, ward, memory_cries=KEPT)


def test_it_is_a_detector_of_river(make):
    assert isinstance(make(), AnomalyDetector)


def area(own, others):
    """Under the curve; equal scores count half."""
    difference = np.array(others)[:, None] - np.array(own)
    return np.mean((difference > 0) + 0.5 * (difference == 0))


def test_it_ranks_other_infants_above_its_own(name, make, nursery):
    rng = np.random.default_rng(21)
    own, others = [], []
    for _ in range(12):
        infant, detector = nursery.infant(rng), make()
        for cry in nursery.cries(infant, 12, rng):
            detector.learn_one(cry)
        own += [detector.score_one(cry) for cry in nursery.cries(infant, 3, rng)]
        others += [
            detector.score_one(nursery.cries(nursery.infant(rng), 1, rng)[0]) for _ in range(3)
        ]
    assert area(own, others) > WEAK.get(name, 0.88)


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != DEFAULT])
def test_behind_the_wards_whitening_it_ranks_them_better(name, ward, nursery):
    areas = []
    for whitened in (False, True):
        rng = np.random.default_rng(28)
        own, others = [], []
        for _ in range(8):
            infant, detector = nursery.infant(rng), named(name, ward, whitened=whitened)
            for cry in nursery.cries(infant, 12, rng):
                detector.learn_one(cry)
            own += [detector.score_one(cry) for cry in nursery.cries(infant, 3, rng)]
            others += [
                detector.score_one(nursery.cries(nursery.infant(rng), 1, rng)[0]) for _ in range(3)
            ]
        areas.append(area(own, others))
    assert areas[1] > areas[0]


def test_a_dict_of_features_scores_like_the_array(make, nursery):
    rng = np.random.default_rng(22)
    by_array, by_dict = make(), make()
    for cry in nursery.cries(nursery.infant(rng), 5, rng):
        features = dict(enumerate(cry.tolist()))
        assert by_array.score_one(cry) == by_dict.score_one(dict(reversed(features.items())))
        by_array.learn_one(cry)
        by_dict.learn_one(features)


def test_scoring_teaches_nothing(make, nursery):
    rng = np.random.default_rng(23)
    detector = make()
    first, second = nursery.cries(nursery.infant(rng), 2, rng)
    detector.learn_one(first)
    assert detector.score_one(second) == detector.score_one(second)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_non_finite_cry_is_refused_and_leaves_no_trace(make, nursery, bad):
    rng = np.random.default_rng(24)
    detector, infant = make(), nursery.infant(rng)
    for cry in nursery.cries(infant, 3, rng):
        detector.learn_one(cry)
    probe, broken = nursery.cries(infant, 2, rng)
    before = detector.score_one(probe)
    broken[5] = bad
    for call in (detector.learn_one, detector.score_one):
        with pytest.raises(ValueError, match="not finite"):
            call(broken)
        with pytest.raises(ValueError, match="not finite"):
            call(dict(enumerate(broken.tolist())))
    assert detector.score_one(probe) == before


def test_a_cry_of_another_size_is_refused(make):
    detector = make()
    for wrong in (np.zeros(191), np.zeros((1, 192)), {0: 1.0}, {i + 1: 0.0 for i in range(192)}):
        with pytest.raises(ValueError):
            detector.score_one(wrong)


def test_arrays_put_away_and_taken_out_score_alike(make, nursery):
    rng = np.random.default_rng(25)
    kept, infant = make(), nursery.infant(rng)
    for cry in nursery.cries(infant, 2 * KEPT + 4, rng):
        moved = make()
        moved.from_arrays(kept.to_arrays())
        assert moved.score_one(cry) == kept.score_one(cry)
        kept.learn_one(cry)
        moved.learn_one(cry)
        assert moved.score_one(cry) == kept.score_one(cry)


def test_arrays_of_another_size_are_refused(make):
    arrays = {key: np.zeros((2, 3)) for key in make().to_arrays()}
    with pytest.raises(ValueError):
        make().from_arrays(arrays)


def test_what_is_put_away_stays_small(name, ward, nursery):
    rng = np.random.default_rng(29)
    detector = named(name, ward)
    cries = nursery.cries(nursery.infant(rng), 100, rng)
    for cry in cries[:3] if name in LARGE else cries:
        detector.learn_one(cry)
    size = sum(array.nbytes for array in detector.to_arrays().values())
    assert (size > MOST_BYTES) if name in LARGE else (size < MOST_BYTES)


def test_cries_learnt_long_ago_are_let_go(make, nursery):
    rng = np.random.default_rng(30)
    detector = make()
    sizes = []
    for cry in nursery.cries(nursery.infant(rng), 2 * KEPT + 4, rng):
        detector.learn_one(cry)
        sizes.append(sum(array.nbytes for array in detector.to_arrays().values()))
    assert max(sizes) == max(sizes[:KEPT])


def test_before_the_first_cry_every_cry_has_a_finite_score(make, nursery):
    rng = np.random.default_rng(31)
    detector, cries = make(), nursery.cries(nursery.infant(rng), 3, rng)
    for cry in cries:
        assert np.isfinite(detector.score_one(cry))
        detector.learn_one(cry)


def test_a_cry_heard_many_times_leaves_scores_finite(make, nursery):
    rng = np.random.default_rng(32)
    detector = make()
    same, other = nursery.cries(nursery.infant(rng), 2, rng)
    for _ in range(8):
        detector.learn_one(same)
    assert np.isfinite([detector.score_one(same), detector.score_one(other)]).all()
    assert detector.score_one(other) >= detector.score_one(same)


def test_the_callers_array_stays_as_it_was(make, nursery):
    cry = nursery.cries(nursery.infant(np.random.default_rng(26)), 1, np.random.default_rng(27))[0]
    copy, detector = cry.copy(), make()
    detector.learn_one(cry)
    detector.score_one(cry)
    assert np.array_equal(cry, copy)


def test_the_stream_loads_the_default_detector_alone():
    """scikit-learn serves the comparison only (river imports it where it is installed)."""
    code = (
        "import sys, models.deviation.baseline; print([m for m in sys.modules if 'torch' == m or "
        "m.startswith('models.deviation.detectors.')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert eval(said.stdout) == [f"models.deviation.detectors.{m}" for m in ("base", DEFAULT)]
