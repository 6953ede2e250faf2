import numpy as np
import pytest

from models.deviation.drift import (
    CUSUM_CEILING,
    CUSUM_LIMIT,
    FEWEST_RECENT,
    REPLAYED_SCORES,
    DriftMonitor,
)
from models.deviation.population import Population
from models.deviation.reference import DIRECTIONS, FULL_CRIES, WAITING_CRIES

SIZE = 192


@pytest.fixture
def population():
    """Already white: infants stand apart along the first few dozen directions."""
    return Population(
        np.zeros(SIZE), np.zeros(SIZE), np.eye(SIZE), 40 * np.exp(-np.arange(SIZE) / 12)
    )


class Infant:
    """An infant in the whitened space, and its monitor with a reference of `enrolled` cries."""

    def __init__(
        self,
        population: Population,
        seed: int,
        enrolled: int = 24,
        spread: float | np.ndarray = 1.0,
    ) -> None:
        self.rng, self.spread = np.random.default_rng(seed), spread
        self.mean = self.rng.normal(size=SIZE) * np.sqrt(population.between)
        self.monitor = DriftMonitor(population)
        self.monitor.freeze(self.cries(enrolled))

    def cries(self, count: int) -> np.ndarray:
        return self.mean + self.spread * self.rng.normal(size=(count, SIZE))

    def hear(self, count: int, sigma: float = 0.0) -> int | None:
        """Cry `count` times; at which cry drift is said, if it is."""
        said = None
        for number, cry in enumerate(self.cries(count)):
            self.monitor.update(cry, sigma + self.rng.normal())
            self.monitor.learn(cry)
            if said is None and self.monitor.drifting:
                said = number
        return said

    def shift(self, by: float) -> None:
        direction = np.zeros(SIZE)
        direction[:20] = self.rng.normal(size=20)
        self.mean = self.mean + by * direction / np.linalg.norm(direction)


def test_nothing_is_said_before_the_reference_is_taken(population):
    monitor = DriftMonitor(population)
    for cry in np.random.default_rng(0).normal(size=(20, SIZE)):
        monitor.update(cry + 5.0, 6.0)
    assert monitor.sigma is None
    assert not monitor.drifting


def test_a_distance_is_named_after_a_few_cries(population):
    infant = Infant(population, 0)
    infant.hear(FEWEST_RECENT - 1)
    assert infant.monitor.sigma is None
    infant.hear(1)
    assert infant.monitor.sigma is not None


def test_false_starts_are_rare(population):
    """Fewer than 1 in 1,000 cries: 30 infant-days of 40 cries are 1,200."""
    starts = 0
    for seed in range(40):
        starts += Infant(population, seed).hear(250) is not None
    assert starts <= 10


@pytest.mark.parametrize(("shift", "within"), [(2.0, 20), (3.0, 10)])
def test_a_persistent_shift_is_found(population, shift, within):
    delays = []
    for seed in range(20):
        infant = Infant(population, seed)
        infant.hear(20)
        infant.shift(shift)
        delay = infant.hear(120)
        delays.append(121 if delay is None else delay)
    assert np.median(delays) <= within


@pytest.mark.parametrize("shift", [0.0, 2.0, 4.0])
def test_the_distance_is_that_of_the_shift(population, shift):
    distances = []
    for seed in range(30):
        infant = Infant(population, seed)
        infant.shift(shift)
        infant.hear(40)
        distances.append(infant.monitor.sigma)
    assert np.median(distances) == pytest.approx(shift, abs=0.5)


def test_one_scream_is_no_drift(population):
    infant = Infant(population, 1)
    infant.hear(20)
    infant.monitor.update(infant.mean + 100.0, 6.0)
    assert not infant.monitor.drifting
    assert infant.monitor.sigma < 3
    infant.hear(20)
    assert not infant.monitor.drifting


def test_an_infant_who_is_back_is_not_called_drifting_for_ever(population):
    infant = Infant(population, 2)
    usual = infant.mean
    infant.shift(6.0)
    infant.hear(200)
    assert infant.monitor.drifting
    infant.mean = usual
    infant.hear(60)
    assert not infant.monitor.drifting


def test_a_jump_of_the_scores_is_seen_by_adwin_and_a_fall_is_not(population):
    for jump, expected in ((4.0, True), (-4.0, False)):
        infant = Infant(population, 3)
        infant.hear(60)
        assert infant.hear(30, sigma=jump) is not None if expected else not infant.hear(30, jump)


def test_the_sum_stops_at_its_ceiling(population):
    infant = Infant(population, 4)
    infant.shift(8.0)
    infant.hear(300)
    assert CUSUM_LIMIT <= infant.monitor.to_arrays()["sums"][2] <= CUSUM_CEILING


def test_adwin_is_the_same_after_its_inputs_were_shortened(population):
    infant = Infant(population, 6)
    infant.hear(2 * REPLAYED_SCORES + 5)
    assert len(infant.monitor.to_arrays()["heard"]) == REPLAYED_SCORES + 5
    moved = DriftMonitor(population)
    moved.from_arrays(infant.monitor.to_arrays())
    assert moved._adwin.width == infant.monitor._adwin.width
    assert moved._adwin.estimation == infant.monitor._adwin.estimation


def test_what_is_put_away_goes_on_bit_for_bit(population):
    """Also where ADWIN finds a change."""
    infant = Infant(population, 5)
    kept, detections = infant.monitor, 0
    for number in range(3 * REPLAYED_SCORES + 50):
        moved = DriftMonitor(population)
        moved.from_arrays(kept.to_arrays())
        sigma = infant.rng.normal() + 4.0 * (number // 70 % 2)
        cry = infant.cries(1)[0]
        kept.update(cry, sigma)
        moved.update(cry, sigma)
        detections += len(kept.to_arrays()["heard"]) == 0
        for name, array in kept.to_arrays().items():
            assert np.array_equal(array, moved.to_arrays()[name]), name
    assert detections >= 2


@pytest.mark.parametrize("spread", [0.6, 1.5, "few directions"])
def test_however_an_infant_scatters_false_starts_are_as_rare(population, spread):
    """Where all of it lies in five directions it is fifteen times as much in each of them."""
    if spread == "few directions":
        spread = np.ones(SIZE)
        spread[:5] = 4.0
    starts = sum(Infant(population, s, spread=spread).hear(250) is not None for s in range(40))
    assert starts <= 10


def test_more_cries_make_the_reference_better_and_it_stops_there(population):
    errors = []
    for cries in (0, 50):
        of = [Infant(population, seed) for seed in range(5)]
        for infant in of:
            while cries and infant.monitor.to_arrays()["count"] < FULL_CRIES:
                infant.hear(cries)
        means = [i.monitor.to_arrays()["reference"] - i.mean[:DIRECTIONS] for i in of]
        errors.append(np.sqrt(np.mean(np.square(means))))
    assert errors[0] == pytest.approx(1 / np.sqrt(24), rel=0.25)
    assert errors[1] == pytest.approx(1 / np.sqrt(FULL_CRIES), rel=0.25)
    before = of[0].monitor.to_arrays()["reference"]
    of[0].hear(3 * WAITING_CRIES)
    assert np.array_equal(of[0].monitor.to_arrays()["reference"], before)
    assert len(of[0].monitor.to_arrays()["waiting"]) == 0


def test_a_shift_is_found_and_not_learnt(population):
    infant = Infant(population, 7)
    infant.hear(30)
    usual = infant.mean[:DIRECTIONS]
    infant.shift(4.0)
    assert infant.hear(200) is not None
    reference = infant.monitor.to_arrays()["reference"]
    assert np.linalg.norm(reference - usual) < 2.0
    assert infant.monitor.drifting


def test_a_monitor_that_kept_a_belief_goes_on(population):
    """As it was stored up to format 2: a belief, how wild the infant was, and no more."""
    infant = Infant(population, 8)
    known = infant.cries(24)
    belief = population.believe(known.mean(axis=0), population.scatter(known), 24)
    monitor = DriftMonitor(population)
    monitor.from_arrays(
        {
            "reference": np.stack([belief.mean, belief.uncertainty]),
            "reference_spread": np.array([belief.spread]),
            "wildness": np.ones(1),
            "recent": known[-1],
            "sums": np.array([5.0, 0.1, 2.0]),
            "heard": np.zeros(3),
        }
    )
    stored = monitor.to_arrays()
    assert stored["count"] == 24
    assert np.allclose(stored["reference"], known.mean(axis=0)[:DIRECTIONS])
    assert monitor.sum == 2.0
    infant.monitor = monitor
    assert infant.hear(60) is None
    infant.shift(4.0)
    assert infant.hear(60) is not None
