from itertools import islice

import numpy as np
import pytest

from models.synthesis.ward import SimulatedWard, Truth

Second = list[tuple[np.ndarray, Truth]]


def play(seconds: int, **settings: object) -> list[Second]:
    return list(islice(SimulatedWard(**settings), seconds))


def test_every_second_has_a_sound_and_a_truth_for_every_cot() -> None:
    ward = SimulatedWard(monitors=3, seed=1)
    for number, second in enumerate(islice(ward, 10)):
        assert len(second) == 3
        for cot, (waveform, truth) in zip(ward.cots, second, strict=True):
            assert waveform.dtype == np.float32
            assert waveform.shape == (16_000,)
            assert np.abs(waveform).max() <= 1.0
            assert (truth.monitor, truth.infant) == (cot.monitor, cot.infant)
            assert truth.second == number
            assert 0.0 <= truth.cry_fraction <= 1.0


def test_the_same_seed_plays_the_same_ward_each_time_it_is_iterated() -> None:
    ward = SimulatedWard(monitors=2, seed=4)
    for first, again in zip(islice(ward, 20), islice(ward, 20), strict=True):
        for (sound, truth), (sound_again, truth_again) in zip(first, again, strict=True):
            np.testing.assert_array_equal(sound, sound_again)
            assert truth == truth_again


def test_a_cot_sounds_the_same_however_many_stand_beside_it() -> None:
    for few, many in zip(play(20, monitors=1, seed=4), play(20, monitors=5, seed=4), strict=True):
        np.testing.assert_array_equal(few[0][0], many[0][0])


def test_other_seeds_are_other_wards() -> None:
    assert SimulatedWard(seed=1).cots != SimulatedWard(seed=2).cots
    (first, _), (other, _) = (play(1, monitors=1, seed=seed)[0][0] for seed in (1, 2))
    assert not np.array_equal(first, other)


def test_infants_and_cots_have_names_of_their_own() -> None:
    cots = SimulatedWard(monitors=1000, seed=0).cots
    for names in ([c.monitor for c in cots], [c.infant for c in cots], [c.bed for c in cots]):
        assert len(set(names)) == 1000
    assert {c.ward for c in cots} == {"nicu"}


@pytest.mark.parametrize("cry_fraction", [0.15, 0.3])
def test_infants_cry_about_the_share_of_time_asked_for(cry_fraction: float) -> None:
    seconds = play(300, monitors=4, seed=3, cry_fraction=cry_fraction)
    voiced = np.mean([truth.cry_fraction for second in seconds for _, truth in second])
    # Breaths between, about a fifth, count as crying for the setting but not as voiced.
    assert 0.6 * cry_fraction < voiced < 1.2 * cry_fraction


def test_shorter_cries_at_the_same_share_come_more_often() -> None:
    def cries(bout_seconds: tuple[float, float]) -> int:
        seconds = play(200, monitors=1, bout_seconds=bout_seconds)
        crying = [second[0][1].cry_fraction > 0.0 for second in seconds]
        return int(np.sum(np.diff(np.array(crying, dtype=int)) == 1))

    assert cries((1.0, 2.0)) > 2 * cries((5.0, 8.0))


def test_breaths_within_a_cry_are_not_counted_as_crying() -> None:
    fractions = np.array([second[0][1].cry_fraction for second in play(200, monitors=1)])
    inside = (fractions[:-2] > 0.0) & (fractions[2:] > 0.0) & (fractions[1:-1] > 0.0)
    assert 0.5 < np.mean(fractions[1:-1][inside]) < 0.95


def test_a_crying_second_is_far_louder_than_the_same_cot_at_rest() -> None:
    levels: dict[tuple[str, bool], list[float]] = {}
    for waveform, truth in (pair for second in play(120, monitors=4) for pair in second):
        if truth.cry_fraction == 0.0 or truth.cry_fraction >= 0.3:
            key = truth.monitor, truth.cry_fraction > 0.0
            levels.setdefault(key, []).append(float(np.sqrt(np.mean(waveform**2))))
    for monitor in {monitor for monitor, _ in levels}:
        assert np.median(levels[monitor, True]) > 5.0 * np.median(levels[monitor, False])


def test_one_infant_drifts_from_its_moment_on_and_the_others_never_do() -> None:
    ward = SimulatedWard(monitors=4, seed=2, drift_at_seconds=10)
    drifting = {
        (truth.infant, truth.second)
        for second in islice(ward, 20)
        for _, truth in second
        if truth.drifting
    }
    assert drifting == {(ward.drifting_infant, second) for second in range(10, 20)}
    assert SimulatedWard(monitors=4, seed=2).drifting_infant is None


def test_the_ward_sounds_as_without_drift_until_the_drift_begins() -> None:
    calm = play(60, monitors=4, seed=2)
    drifting = play(60, monitors=4, seed=2, drift_at_seconds=20)
    same = [
        np.array_equal(a[0], b[0])
        for c, d in zip(calm, drifting, strict=True)
        for a, b in zip(c, d, strict=True)
    ]
    assert all(same[: 20 * 4])
    assert not all(same)


def test_a_drift_may_come_gradually() -> None:
    ward = SimulatedWard(monitors=1, drift_at_seconds=10, drift_over_seconds=20)
    pitches = [ward.infant_at(0, second)[0].pitch_hz for second in (0, 10, 20, 30, 99)]
    assert pitches[0] == pitches[1] < pitches[2] < pitches[3] == pitches[4]


def test_impossible_wards_are_refused() -> None:
    with pytest.raises(ValueError, match="monitor"):
        SimulatedWard(monitors=0)
    with pytest.raises(ValueError, match="cry"):
        SimulatedWard(cry_fraction=0.9)
    for bout_seconds in ((0.1, 2.0), (3.0, 2.0)):
        with pytest.raises(ValueError, match="last"):
            SimulatedWard(bout_seconds=bout_seconds)


def test_the_one_to_drift_has_neither_the_shrillest_nor_the_roughest_voice_on_the_whole() -> None:
    drifting, others = [], []
    for seed in range(40):
        ward = SimulatedWard(monitors=8, seed=seed, drift_at_seconds=1)
        for infant in ward.infants:
            group = drifting if infant.name == ward.drifting_infant else others
            group.append((infant.pitch_hz, infant.roughness))
    assert len(drifting) == 40
    assert (np.mean(drifting, axis=0) < np.mean(others, axis=0)).all()
