"""Who is compared: each detector, on embeddings as they are and behind a full whitening."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.deviation.bench.harness import HarnessJudge, Judge, Known, Pool, StreamJudge
from models.deviation.detectors import PersonalDetector
from models.deviation.detectors.every import DEFAULT, DETECTORS
from models.deviation.detectors.replay import REPLAYED_CRIES
from models.deviation.population import Population
from models.deviation.strangers import Stranger
from models.deviation.ward import WardModel

# The evenness of a full whitening: see `population.within_and_between`.
WHITENED = 0.0
# Times are taken after so many cries: a baseline of one or two days.
TIMED_AFTER = 24
# Of so many calls the median is given: the machine may be busy with other things.
TIMED_CALLS = 30


@dataclass(frozen=True)
class Wards:
    """What the same infants make of a ward.

    fitted: as it ships, its evenness chosen by the infants; whitened: with all of the whitening;
    strangers: those of `whitened`, for other detectors' pooled scores.
    """

    fitted: WardModel
    whitened: WardModel
    strangers: list[Stranger]

    @classmethod
    def of(cls, known: Known) -> Wards:
        """The wards of these infants; WardError when they cannot be fitted."""
        return cls(known.ward(), known.ward(WHITENED), known.strangers(WHITENED))


@dataclass(frozen=True)
class Contestant:
    """A detector in one of two spaces; the default comes as the stream runs it."""

    detector: str
    whitened: bool

    @property
    def name(self) -> str:
        """As in the table's rows."""
        return f"{self.detector}+whitening" if self.whitened else self.detector

    @property
    def is_default(self) -> bool:
        """Whether it is what ships."""
        return self.name == DEFAULT

    @property
    def is_streams(self) -> bool:
        """Whether the stream's own baseline runs it, which whitens by its ward."""
        return self.detector == DEFAULT

    def make(self, population: Population) -> PersonalDetector:
        """A detector that knows nothing of its infant yet."""
        build = DETECTORS[self.detector]
        return build(population) if self.is_streams else build(population, whitened=self.whitened)

    def pool(self) -> Pool:
        """For this contestant's pooled scores."""
        return Pool(self.make, remembers=not self.whitened)

    def judge(self, wards: Wards, pooled: NDArray[np.floating]) -> Judge:
        """One infant's model; `pooled` as from `Pool.scores`, of no use to the stream's own."""
        if self.is_streams:
            return StreamJudge(wards.whitened if self.whitened else wards.fitted)
        return HarnessJudge(partial(self.make, wards.whitened), pooled)

    def pooled(self, pool: Pool, wards: Wards) -> NDArray[np.float64]:
        """Pooled scores, but for the stream's own, whose ward holds them."""
        return np.zeros(0) if self.is_streams else pool.scores(wards.strangers)


CONTESTANTS = tuple(
    Contestant(detector, whitened) for whitened in (False, True) for detector in DETECTORS
)


def cost(
    contestant: Contestant, ward: Population, cries: NDArray[np.floating]
) -> dict[str, float | int]:
    """Microseconds a score and an update, and bytes when full; cries float [n, size] of anyone."""
    detector = contestant.make(ward)
    scores, updates = [], []
    for number in range(REPLAYED_CRIES):
        cry = cries[number % len(cries)]
        timed = TIMED_AFTER <= number < TIMED_AFTER + TIMED_CALLS
        began = time.perf_counter()
        if timed:
            detector.score_one(cry)
        scored = time.perf_counter()
        detector.learn_one(cry)
        learnt = time.perf_counter()
        if timed:
            scores.append(scored - began)
            updates.append(learnt - scored)
    return {
        "score_us": 1e6 * float(np.median(scores)),
        "update_us": 1e6 * float(np.median(updates)),
        "bytes": sum(array.nbytes for array in detector.to_arrays().values()),
    }
