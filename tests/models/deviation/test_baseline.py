import dataclasses

import numpy as np
import pytest
from simulated import observation

from models.deviation.baseline import READY_AFTER, REFERENCE_CRIES, Baseline, State
from models.deviation.gate import Decision, Reason
from models.deviation.state import StateError
from models.deviation.ward import WardModel


def hear(baseline, cries, first=0, **changes):
    return [baseline.observe(observation(cry, first + i, **changes)) for i, cry in enumerate(cries)]


@pytest.fixture
def rng():
    return np.random.default_rng(51)


@pytest.fixture
def own(nursery, rng):
    """Where this test's infant cries."""
    return nursery.infant(rng)


def test_an_infant_is_learnt_and_then_ready(ward, nursery, own, rng):
    said = hear(Baseline("anna", ward), nursery.cries(own, READY_AFTER + 2, rng))
    assert [d.reason for d in said] == [Reason.LEARNING] * READY_AFTER + [Reason.NORMAL] * 2
    assert [d.state for d in said[READY_AFTER - 2 :]] == [State.LEARNING] + [State.READY] * 3
    assert [d.baseline_segments for d in said] == list(range(1, READY_AFTER + 3))


def test_scores_begin_with_the_third_cry(ward, nursery, own, rng):
    said = hear(Baseline("anna", ward), nursery.cries(own, 4, rng))
    assert [d.sigma is None for d in said] == [True, True, False, False]
    assert [d.p_value is None for d in said] == [True, True, False, False]


@pytest.mark.parametrize("enrolled", [6, 12, 30])
def test_one_threshold_is_one_false_alarm_rate(ward, nursery, rng, enrolled):
    p_values, sigmas = [], []
    for _ in range(100):
        infant, baseline = nursery.infant(rng), Baseline("anna", ward)
        spread = rng.uniform(0.85, 1.2)
        hear(baseline, nursery.cries(infant, enrolled, rng, spread))
        for d in hear(baseline, nursery.cries(infant, 5, rng, spread), first=enrolled):
            p_values.append(d.p_value)
            sigmas.append(d.sigma)
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.09
    assert np.mean(sigmas) == pytest.approx(0.0, abs=0.35)
    assert np.std(sigmas) == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("enrolled", [6, 12, 30])
def test_another_infants_cry_is_refused(ward, nursery, rng, enrolled):
    refused = 0
    for _ in range(30):
        baseline = Baseline("anna", ward)
        hear(baseline, nursery.cries(nursery.infant(rng), enrolled, rng))
        d = hear(baseline, nursery.cries(nursery.infant(rng), 1, rng), first=enrolled)[0]
        refused += d.decision is Decision.REFUSED and d.p_value < 0.01 and d.sigma > 2
    assert refused >= 28


def test_an_unfit_sound_is_scored_and_not_learnt_from(ward, nursery, own, rng):
    baseline = Baseline("anna", ward)
    learnt = hear(baseline, nursery.cries(own, 30, rng))[-1].baseline_segments
    before = baseline.to_bytes()
    for changes, reason in (
        ({"cry_score": 0.6}, Reason.NOT_SURE_CRY),
        ({"seconds": 0.6}, Reason.TOO_SHORT),
        ({"clipped_fraction": 0.2}, Reason.CLIPPED),
        ({"learning_paused": True}, Reason.PAUSED),
    ):
        d = hear(baseline, nursery.cries(own, 1, rng), first=30, **changes)[0]
        assert (d.decision, d.reason) == (Decision.REFUSED, reason)
        assert d.sigma is not None
        assert d.baseline_segments == learnt
    assert baseline.to_bytes() == before


@pytest.mark.parametrize(
    "field", ["embedding", "seconds", "cry_score", "level_dbfs", "clipped_fraction", "noise_dbfs"]
)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_non_finite_number_changes_nothing(ward, nursery, own, rng, field, bad):
    baseline = Baseline("anna", ward)
    hear(baseline, nursery.cries(own, 5, rng))
    before = baseline.to_bytes()
    cry = nursery.cries(own, 1, rng)[0]
    if field == "embedding":
        cry[100] = bad
        broken = observation(cry, 6)
    else:
        broken = observation(cry, 6, **{field: bad})
    with pytest.raises(ValueError, match="not finite"):
        baseline.observe(broken)
    assert baseline.to_bytes() == before


def test_an_embedding_of_another_size_changes_nothing(ward):
    baseline = Baseline("anna", ward)
    with pytest.raises(ValueError, match="shape"):
        baseline.observe(observation(np.zeros(191, dtype=np.float32)))
    assert baseline.to_bytes() == Baseline("anna", ward).to_bytes()


@pytest.mark.parametrize("seed", range(4))
def test_a_restart_between_any_two_cries_changes_no_bit(ward, nursery, seed):
    """A series with other infants, faults, pauses and a shift among the usual cries."""
    rng = np.random.default_rng(seed)
    own, other = nursery.infant(rng), nursery.infant(rng)
    kept = stored = Baseline("anna", ward)
    reasons = set()
    for number in range(330):
        where = other if rng.random() < 0.1 or number > 250 else own
        changes = {
            "cry_score": float(rng.uniform(0.6, 1.0)),
            "learning_paused": rng.random() < 0.05,
        }
        cry = observation(nursery.cries(where, 1, rng)[0], number, **changes)
        stored = Baseline.from_bytes(stored.to_bytes(), ward)
        expected = kept.observe(cry)
        assert stored.observe(cry) == expected
        reasons.add(expected.reason)
    assert {Reason.NORMAL, Reason.SOMEONE_ELSE, Reason.PAUSED, Reason.NOT_SURE_CRY} <= reasons
    assert stored.to_bytes() == kept.to_bytes()


def test_the_stored_state_stays_small(ward, nursery, own, rng):
    baseline = Baseline("anna", ward)
    hear(baseline, nursery.cries(own, 600, rng))
    assert len(baseline.to_bytes()) < 20_000
    assert Baseline.from_bytes(baseline.to_bytes(), ward).infant == "anna"


def test_a_baseline_of_another_ward_is_refused(ward, nursery, own, rng):
    baseline = Baseline("anna", ward)
    hear(baseline, nursery.cries(own, 3, rng))
    other = WardModel(ward.mean, ward.middle, ward.transform, ward.between, ward.scores + 0.01)
    with pytest.raises(StateError, match="anna was stored by"):
        Baseline.from_bytes(baseline.to_bytes(), other)


def test_first_cries_of_another_infant_do_not_lock_this_one_out(ward, nursery, rng):
    baseline = Baseline("anna", ward)
    hear(baseline, nursery.cries(nursery.infant(rng), 3, rng))
    own = nursery.infant(rng)
    said = hear(baseline, nursery.cries(own, 14, rng), first=3)
    assert Reason.RESTARTED in {d.reason for d in said}
    assert said[-1].reason is Reason.NORMAL
    assert said[-1].sigma < 3


def test_a_neighbour_heard_now_and_then_does_not_move_a_ready_baseline(ward, nursery, own, rng):
    baseline, clean = Baseline("anna", ward), Baseline("anna", ward)
    neighbour, learnt = nursery.infant(rng), 0
    for number in range(120):
        cry = nursery.cries(own, 1, rng)[0]
        clean.observe(observation(cry, number))
        baseline.observe(observation(cry, number))
        if number >= 8 and number % 3 == 0:
            intruder = observation(nursery.cries(neighbour, 1, rng)[0], 1_000 + number)
            learnt += baseline.observe(intruder).decision is Decision.ACCEPTED
    assert learnt <= 1
    probes = nursery.cries(own, 20, rng)
    apart = [
        b.sigma - a.sigma
        for a, b in zip(hear(clean, probes, 9_000), hear(baseline, probes, 9_000), strict=True)
    ]
    assert abs(np.mean(apart)) < 0.3


def test_a_shift_that_stays_is_called_drift_and_is_hardly_learnt(ward, nursery, own, rng):
    baseline = Baseline("anna", ward)
    before = hear(baseline, nursery.cries(own, REFERENCE_CRIES + 12, rng))
    assert not before[-1].drifting
    direction = np.zeros(192)
    direction[:20] = rng.normal(size=20)
    shift = np.linalg.solve(ward.transform, 3.0 * direction / np.linalg.norm(direction))
    after = hear(baseline, (nursery.cries(own, 60, rng) + shift).astype(np.float32), first=500)
    assert sum(len(d.learnt) for d in after) < 20
    assert after[-1].drifting
    assert after[-1].drift_sigma > before[-1].drift_sigma + 1


def test_an_odd_cry_is_learnt_from_once_two_usual_ones_have_followed(ward, nursery, rng):
    """Over many infants: those that are odd, and what is then said."""
    later = never = 0
    for _ in range(40):
        baseline, infant = Baseline("anna", ward), nursery.infant(rng)
        said = hear(baseline, nursery.cries(infant, 16, rng))
        odd = {number for number, d in enumerate(said) if d.reason is Reason.ODD}
        for number in odd - {14, 15}:
            usual = {number + 1, number + 2}.isdisjoint(
                n for n, d in enumerate(said) if d.decision is not Decision.ACCEPTED
            )
            learnt_with = said[number + 2].learnt
            assert ((f"segment-{number}", 1_000 * number) in learnt_with) is usual
            later, never = later + usual, never + (not usual)
            assert said[number].learnt == ()
        assert said[-1].baseline_segments == sum(len(d.learnt) for d in said)
    assert later > 10
    assert never > 1


def test_a_voice_that_changes_at_once_is_not_learnt(ward, nursery, rng):
    """Not so far that each of its cries is deviant."""
    deviant, odd = [], []
    for _ in range(12):
        baseline, own = Baseline("anna", ward), nursery.infant(rng)
        hear(baseline, nursery.cries(own, 20, rng))
        changed = own + 0.3 * (nursery.infant(rng) - own)
        said = hear(baseline, nursery.cries(changed, 30, rng), first=100)
        first, last = said[:6], said[-12:]
        deviant += [d.p_value < 0.01 for d in first]
        odd.append([np.mean([d.p_value < 0.1 for d in part]) for part in (first, last)])
    assert np.mean(deviant) < 0.8
    before, after = np.mean(odd, axis=0)
    assert before > 0.8
    assert after > 0.7


def test_the_version_names_the_rules_and_the_ward(ward):
    assert Baseline("anna", ward).version.endswith(ward.version)


def test_a_deviation_is_plain_data(ward, nursery, own, rng):
    d = hear(Baseline("anna", ward), nursery.cries(own, 5, rng))[-1]
    assert type(d.sigma) is float
    assert type(d.p_value) is float
    assert type(d.drifting) is bool
    assert dataclasses.asdict(d)["reason"] == "learning"
