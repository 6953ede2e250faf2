import numpy as np
import pytest

from models.synthesis.infant import (
    FORMANT_SPREAD,
    PITCH_RANGE_HZ,
    PITCH_SPREAD_SEMITONES,
    ROUGHNESS_SPREAD,
    Trait,
    drifted,
    one_cry_of,
    random_infant,
)


def test_the_same_seed_gives_the_same_infant_and_another_seed_another() -> None:
    first = random_infant(np.random.default_rng(5))
    assert first == random_infant(np.random.default_rng(5))
    assert first != random_infant(np.random.default_rng(6))


def test_infants_are_within_the_range_of_newborns() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        infant = random_infant(rng)
        assert PITCH_RANGE_HZ[0] <= infant.pitch_hz <= PITCH_RANGE_HZ[1]
        assert 0.0 <= infant.roughness <= 1.0
        assert 700.0 < infant.formants_hz()[0] < 1700.0
        assert list(infant.formants_hz()) == sorted(infant.formants_hz())


def test_a_drift_moves_each_trait_by_its_within_infant_deviations() -> None:
    infant = random_infant(np.random.default_rng(1))
    moved = drifted(infant, 2.0)
    semitones = 12.0 * np.log2(moved.pitch_hz / infant.pitch_hz)
    assert semitones == pytest.approx(2.0 * PITCH_SPREAD_SEMITONES)
    assert moved.roughness - infant.roughness == pytest.approx(2.0 * ROUGHNESS_SPREAD)
    ratios = np.array(moved.formants_hz()) / np.array(infant.formants_hz())
    np.testing.assert_allclose(ratios, 1.0 + 2.0 * FORMANT_SPREAD)
    assert moved.name == infant.name


def test_a_drift_can_be_limited_to_some_traits() -> None:
    infant = random_infant(np.random.default_rng(1))
    moved = drifted(infant, 3.0, [Trait.PITCH])
    assert moved.pitch_hz > infant.pitch_hz
    assert moved.roughness == infant.roughness
    assert moved.formants_hz() == infant.formants_hz()


def test_no_drift_changes_nothing_and_roughness_stays_a_share() -> None:
    infant = random_infant(np.random.default_rng(1))
    assert drifted(infant, 0.0) == infant
    assert drifted(infant, 40.0).roughness == 1.0


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -60.0])
def test_an_impossible_drift_is_refused(amount: float) -> None:
    with pytest.raises(ValueError, match="drift"):
        drifted(random_infant(np.random.default_rng(1)), amount)


def test_cries_spread_around_the_infant_as_documented() -> None:
    rng = np.random.default_rng(2)
    infant = random_infant(rng)
    cries = [one_cry_of(infant, rng) for _ in range(2000)]
    semitones = 12.0 * np.log2([cry.pitch_hz / infant.pitch_hz for cry in cries])
    assert np.mean(semitones) == pytest.approx(0.0, abs=0.05)
    assert np.std(semitones) == pytest.approx(PITCH_SPREAD_SEMITONES, rel=0.1)
    ratios = [cry.formants_hz()[0] / infant.formants_hz()[0] for cry in cries]
    assert np.std(ratios) == pytest.approx(FORMANT_SPREAD, rel=0.1)
