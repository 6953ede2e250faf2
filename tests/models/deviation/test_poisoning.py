"""Other infants' cries, and growth: what the gate keeps out and what the references show."""

import numpy as np
import pytest
from simulated import observation

from models.deviation.baseline import REFERENCE_CRIES, Baseline
from models.deviation.gate import Decision
from models.deviation.ward import WardModel

INFANTS = 16
CRIES = 60
PROBES = 60
# A fifth of all cries that are heard.
INTRUDERS_A_CRY = 0.25


def alarms(baseline, cries, first):
    """Share of cries with p < 0.05, learning paused."""
    said = [
        baseline.observe(observation(cry, first + i, learning_paused=True))
        for i, cry in enumerate(cries)
    ]
    return np.mean([d.p_value < 0.05 for d in said])


def poisoned(ward, nursery, begins):
    """(clean, poisoned) alarm rates on usual cries [infants, 2] and on the intruder's."""
    usual, intruders = [], []
    for seed in range(INFANTS):
        rng = np.random.default_rng([seed, 10])
        own, other = nursery.infant(rng), nursery.infant(rng)
        clean, mixed = Baseline("anna", ward), Baseline("anna", ward)
        for number in range(CRIES):
            cry = observation(nursery.cries(own, 1, rng)[0], number)
            if number >= begins and rng.random() < INTRUDERS_A_CRY:
                mixed.observe(observation(nursery.cries(other, 1, rng)[0], 1_000 + number))
            clean.observe(cry)
            mixed.observe(cry)
        for kept, probes in (
            (usual, nursery.cries(own, PROBES, rng)),
            (intruders, nursery.cries(other, 20, rng)),
        ):
            kept.append([alarms(baseline, probes, 5_000) for baseline in (clean, mixed)])
    return np.array(usual), np.array(intruders)


@pytest.mark.parametrize("begins", [0, 1, 6, 24])
def test_a_fifth_of_another_infants_cries_hardly_moves_the_alarm_rate(ward, nursery, begins):
    """From the first cry on, from the second, when ready, and when the reference is taken."""
    usual, intruders = poisoned(ward, nursery, begins)
    assert abs(np.mean(usual[:, 1] - usual[:, 0])) < 0.05
    assert abs(np.mean(intruders[:, 1] - intruders[:, 0])) < 0.05


def test_growth_is_followed_and_still_shown_against_the_admission(ward, nursery):
    """Three within-infant standard deviations over three hundred cries, a week or so."""
    grown = 300
    for seed in range(4):
        rng = np.random.default_rng([seed, 11])
        own, baseline = nursery.infant(rng), Baseline("anna", ward)
        direction = np.zeros(192)
        direction[:20] = rng.normal(size=20)
        growth = np.linalg.solve(ward.transform, 3.0 * direction / np.linalg.norm(direction))
        said = []
        for number in range(grown + 100):
            age = max(0.0, min(1.0, (number - REFERENCE_CRIES) / grown))
            cry = (nursery.cries(own, 1, rng)[0] + age * growth).astype(np.float32)
            said.append(baseline.observe(observation(cry, number)))
        assert sum(len(d.learnt) for d in said) / len(said) > 0.93
        late = said[-100:]
        assert np.mean([d.p_value < 0.05 for d in late]) < 0.15
        assert abs(np.mean([d.sigma for d in late])) < 0.6
        assert late[-1].drifting
        assert late[-1].drift_sigma > 2.0


def test_a_leap_of_the_same_size_is_not_learnt_at_once(ward, nursery):
    """What growth over a week is let through as, overnight is reported."""
    rng = np.random.default_rng(12)
    own, baseline = nursery.infant(rng), Baseline("anna", ward)
    for number, cry in enumerate(nursery.cries(own, 40, rng)):
        baseline.observe(observation(cry, number))
    direction = np.zeros(192)
    direction[:20] = rng.normal(size=20)
    leap = np.linalg.solve(ward.transform, 8.0 * direction / np.linalg.norm(direction))
    after = (nursery.cries(own, 20, rng) + leap).astype(np.float32)
    said = [baseline.observe(observation(cry, 100 + i)) for i, cry in enumerate(after)]
    assert np.mean([d.decision is Decision.REFUSED for d in said]) > 0.8
    assert said[-1].drifting


def test_the_intruders_are_who_moves_it_where_there_is_no_gate(ward, nursery, monkeypatch):
    """The poison is one: let in, it makes the intruder's own cries pass."""
    monkeypatch.setattr("models.deviation.gate.strange", lambda p_value, evidence: None)
    _, intruders = poisoned(
        WardModel.fit(*nursery.recordings(120, np.random.default_rng(2))), nursery, 0
    )
    assert np.mean(intruders[:, 1] - intruders[:, 0]) < -0.3
