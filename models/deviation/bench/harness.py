"""Any detector under the calibration and the gate of the stream, so that only detectors differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.deviation import gate
from models.deviation.baseline import READY_AFTER, Baseline, Observation
from models.deviation.conformal import Calibration, tie_break
from models.deviation.detectors import GaussianDetector, PersonalDetector
from models.deviation.gate import Decision, Reason
from models.deviation.population import Population
from models.deviation.strangers import (
    MAX_SCORES_PER_INFANT,
    MIN_OTHERS,
    Stranger,
    first_of_sittings,
    strangers_of,
    variance_within,
)
from models.deviation.waiting import Cry, Waiting
from models.deviation.ward import WardModel

Make = Callable[[Population], PersonalDetector]
# sigma and p-value of a cry; None while too little is known.
Verdict = tuple[float, float] | None


class Judge(Protocol):
    """One infant's model in a comparison."""

    def observe(self, embedding: NDArray[np.floating], name: str) -> Verdict:
        """Score a clean cry, then learn from it if the gate lets it pass."""

    def probe(self, embedding: NDArray[np.floating], name: str) -> Verdict:
        """Score a clean cry and stay as it is."""


class StreamJudge:
    """The stream's own baseline."""

    def __init__(self, ward: WardModel) -> None:
        self._baseline = Baseline("infant", ward)

    def observe(self, embedding: NDArray[np.floating], name: str) -> Verdict:
        return self._hear(embedding, name, paused=False)

    def probe(self, embedding: NDArray[np.floating], name: str) -> Verdict:
        return self._hear(embedding, name, paused=True)

    def _hear(self, embedding: NDArray[np.floating], name: str, paused: bool) -> Verdict:
        # A recording's embedding carries no quality of its sound: taken for a clean cry.
        said = self._baseline.observe(
            Observation(name, 0, 3.0, embedding, 1.0, -20.0, 0.0, learning_paused=paused)
        )
        return None if said.sigma is None or said.p_value is None else (said.sigma, said.p_value)


class HarnessJudge:
    """A detector with the baseline's calibration, gate and new start.

    Follows `Baseline.observe` but for drift; whose cry a deviant one is needs a belief. With the
    default detector it says the same (tests/models/deviation/bench/test_harness.py).
    """

    def __init__(self, make: Callable[[], PersonalDetector], pooled: NDArray[np.floating]) -> None:
        self._make = make
        self._pooled = pooled
        self._begin()

    def _begin(self) -> None:
        self.detector = self._make()
        # Pooled scores that are all one, as of trees whose first window never filled, say nothing.
        self._calibration = (
            Calibration(self._pooled, gate.DEVIANT_BELOW_P) if np.ptp(self._pooled) > 0 else None
        )
        self._waiting = Waiting()
        self._accepted = self._strange = 0

    def observe(self, embedding: NDArray[np.floating], name: str) -> Verdict:
        score = self.detector.score_one(embedding)
        verdict = self._judge(score, name)
        cry = Cry(name, 0, embedding.astype(np.float32), score)
        reason = gate.strange(verdict and verdict[1], self._evidence(embedding))
        ready = self._accepted >= READY_AFTER
        if reason is not None and (ready or reason is not Reason.ODD):
            self._strange += not ready
            if ready or self._strange <= self._accepted:
                held = reason.decision is Decision.HELD
                self._waiting.strange(cry if held else None, reason is Reason.DEVIANT)
                return verdict
            self._begin()
            cry = replace(cry, score=None)
        for one in (*self._waiting.usual(), cry):
            self._learn(one)
        return verdict

    def _evidence(self, embedding: NDArray[np.floating]) -> float:
        """Whose cry it is; only the default detector's belief can say, to others it is anyone's."""
        if not isinstance(self.detector, GaussianDetector):
            return 0.0
        population = self.detector.population
        return population.evidence(population.whiten(embedding), self.detector.belief)

    def _learn(self, cry: Cry) -> None:
        calibrates = self._calibration is not None and self._accepted >= MIN_OTHERS
        if calibrates and cry.score is not None:
            self._calibration.learn(cry.score)
        self.detector.learn_one(cry.embedding)
        self._accepted += 1

    def probe(self, embedding: NDArray[np.floating], name: str) -> Verdict:
        return self._judge(self.detector.score_one(embedding), name)

    def _judge(self, score: float, name: str) -> Verdict:
        if self._accepted < MIN_OTHERS or self._calibration is None:
            return None
        return self._calibration.evaluate(score, tie_break(name))


@dataclass(frozen=True)
class Known:
    """Infants whom a ward may be fitted to.

    x float [n, size]; infants and sittings [n]; unseen: infants unknown to the embedder.
    """

    x: NDArray[np.floating]
    infants: NDArray[np.str_]
    sittings: Sequence[int]
    unseen: frozenset[str] = frozenset()

    def ward(self, evenness: float | None = None) -> WardModel:
        """The ward of these infants; evenness as in `WardModel.fit`."""
        return WardModel.fit(
            self.x, self.infants.tolist(), self.sittings, self.unseen, evenness=evenness
        )

    def strangers(self, evenness: float) -> list[Stranger]:
        """Each infant with a population that has not seen it, scaled as its ward is."""
        firsts = first_of_sittings(self.infants.tolist(), self.sittings)
        every = list(strangers_of(self.x, self.infants, firsts, evenness))
        variance = variance_within(every)
        return [replace(one, population=one.population.rescaled(variance)) for one in every]


class Pool:
    """Pooled leave-one-out scores of known infants, by any detector.

    What a detector that borrows nothing from the population says of an infant does not change
    with the fold: with `remembers`, it is taken once an infant.
    """

    def __init__(self, make: Make, remembers: bool) -> None:
        self._make = make
        self._remembered: dict[str, list[float]] | None = {} if remembers else None

    def scores(self, strangers: Sequence[Stranger]) -> NDArray[np.float64]:
        """Raw scores float64 [m] of the strangers' cries, each against its infant's others."""
        return np.array([score for stranger in strangers for score in self._of(stranger)])

    def _of(self, stranger: Stranger) -> list[float]:
        if self._remembered is None:
            return self._leave_one_out(stranger)
        if stranger.infant not in self._remembered:
            self._remembered[stranger.infant] = self._leave_one_out(stranger)
        return self._remembered[stranger.infant]

    def _leave_one_out(self, stranger: Stranger) -> list[float]:
        scores = []
        cries = stranger.cries
        if len(cries) > MIN_OTHERS:
            for left_out in range(min(len(cries), MAX_SCORES_PER_INFANT)):
                detector = self._make(stranger.population)
                for cry in np.delete(cries, left_out, axis=0):
                    detector.learn_one(cry)
                scores.append(detector.score_one(cries[left_out]))
        return scores
