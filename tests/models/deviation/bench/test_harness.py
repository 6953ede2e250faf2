import numpy as np
import pytest

from models.deviation.bench.harness import HarnessJudge, Known, Pool, StreamJudge
from models.deviation.detectors import GaussianDetector
from models.deviation.detectors.every import DETECTORS


def test_with_the_default_detector_the_harness_says_what_the_stream_says(ward, nursery):
    """Over usual cries, strangers, and a start with another infant's cries."""
    rng = np.random.default_rng(1)
    for beginning in (0, 3):
        own, other = nursery.infant(rng), nursery.infant(rng)
        stream = StreamJudge(ward)
        harness = HarnessJudge(lambda: GaussianDetector(ward), ward.scores)
        for number in range(60):
            stranger = number < beginning or rng.random() < 0.1
            cry = nursery.cries(other if stranger else own, 1, rng)[0]
            name = f"cry-{number}"
            assert harness.probe(cry, name) == stream.probe(cry, name)
            assert harness.observe(cry, name) == stream.observe(cry, name)


def test_a_probe_teaches_nothing(ward, nursery):
    rng = np.random.default_rng(2)
    judge, infant = StreamJudge(ward), nursery.infant(rng)
    cries = nursery.cries(infant, 12, rng)
    for number, cry in enumerate(cries[:8]):
        judge.observe(cry, f"cry-{number}")
    before = judge.probe(cries[8], "probe")
    assert judge.probe(cries[8], "probe") == before
    judge.observe(cries[9], "more")
    assert judge.probe(cries[8], "probe") != before


@pytest.fixture
def known(nursery):
    x, infants = nursery.recordings(60, np.random.default_rng(3))
    return Known(x, np.array(infants), list(range(len(infants))))


def test_the_default_detectors_pooled_scores_are_the_wards(known):
    pooled = Pool(GaussianDetector, remembers=False).scores(known.strangers(0.0))
    assert np.allclose(np.sort(pooled), known.ward(0.0).scores, atol=1e-5)


def test_pooled_scores_are_remembered_by_infant(known):
    made = []

    def make(population):
        made.append(population)
        return DETECTORS["neighbours"](population)

    pool, strangers = Pool(make, remembers=True), known.strangers(0.0)
    first, count = pool.scores(strangers), len(made)
    assert np.array_equal(pool.scores(strangers), first)
    assert len(made) == count


def test_with_few_cries_known_one_usual_cry_in_twenty_is_under_the_threshold(known, nursery):
    """With more known the nearest is nearer, and a pool of few tells too little of it."""
    rng = np.random.default_rng(4)
    make = DETECTORS["neighbours"]
    ward, pooled = known.ward(0.0), Pool(make, remembers=False).scores(known.strangers(0.0))
    rates = []
    for enrolled in (2, 12):
        low = []
        for _ in range(60):
            judge, infant = HarnessJudge(lambda: make(ward), pooled), nursery.infant(rng)
            for number, cry in enumerate(nursery.cries(infant, enrolled, rng)):
                judge.observe(cry, f"cry-{number}")
            for probe in nursery.cries(infant, 5, rng):
                low.append(judge.probe(probe, f"probe-{len(low)}")[1] < 0.05)
        rates.append(np.mean(low))
    assert 0.02 < rates[0] < 0.1
    assert rates[1] < rates[0]


def test_scores_that_are_all_one_calibrate_nothing(ward, nursery):
    rng = np.random.default_rng(5)
    judge = HarnessJudge(lambda: DETECTORS["half-space-trees"](ward), np.zeros(20))
    cries = nursery.cries(nursery.infant(rng), 4, rng)
    assert [judge.observe(cry, f"cry-{i}") for i, cry in enumerate(cries)] == [None] * 4
