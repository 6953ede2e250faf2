"""Every known infant as a stranger: what a ward would say of infants that it has not met.

A ward fitted on the infant would find its cries nearer than it finds a stranger's: with 192
dimensions and some hundreds of recordings, far nearer. So the pooled scores, their scale and the
shape of the whitening are all told by infants that the whitening was fitted without.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.deviation.population import Belief, Population

# Leave-one-out needs this many others: it is where a baseline begins to give scores.
MIN_OTHERS = 2
# An infant with hundreds of recordings would otherwise speak for the whole ward.
MAX_SCORES_PER_INFANT = 12
# Whitening is fitted without the infants whose scores it then yields; more folds cost fitting
# time and change the scores by less than their own error.
FOLDS = 8

# How evenly an infant's cries are taken to vary over all directions, beyond what the number of
# recordings asks for: 1 leaves whitening out. Tried in this order.
EVENNESS = (1.0, 0.5, 0.0)
# Taking directions for unlike must spare this share of the mistakes, or it is left: whitening 192
# directions from some hundred recordings is mostly chance (docs/deviation/log.md).
WORTHWHILE = 0.25

# Below this a percentile of the pooled scores is a single cry's.
FEWEST_SCORES = 10
# No embedder that is of any use scatters strangers' cries more than this many times wider.
MOST_STRETCH = 4.0


@dataclass(frozen=True)
class Stranger:
    """An infant's cries [n, size], with a population fitted without it and without `others`.

    others [m, size]: cries of other infants, to hold against it.
    """

    infant: str
    cries: NDArray[np.floating]
    others: NDArray[np.floating]
    population: Population


def first_of_sittings(
    infants: Sequence[str], sittings: Sequence[Hashable] | None
) -> NDArray[np.bool_]:
    """bool [n]: the first row of each sitting; every row where none are named."""
    firsts = np.ones(len(infants), dtype=bool)
    if sittings is not None:
        seen = set()
        for row, sitting in enumerate(zip(infants, sittings, strict=True)):
            firsts[row] = sitting not in seen
            seen.add(sitting)
    return firsts


def best_evenness(
    x: NDArray[np.floating], names: NDArray[np.str_], firsts: NDArray[np.bool_]
) -> float:
    """The one of EVENNESS by which infants are told apart; arguments as of `strangers_of`."""
    chosen, fewest = EVENNESS[0], math.inf
    for evenness in EVENNESS:
        mistakes = _mistakes(strangers_of(x, names, firsts, evenness))
        if mistakes < (1.0 - WORTHWHILE) * fewest:
            chosen, fewest = evenness, mistakes
    return chosen


def _mistakes(strangers: Iterable[Stranger]) -> float:
    """How often another's cry is no farther from an infant than its own, left out; 0.5 by chance.

    1 where there is none to compare.
    """
    shares = []
    for stranger in strangers:
        others = np.array([stranger.population.whiten(cry) for cry in stranger.others])
        if not len(others):
            continue
        for own, belief in _left_out(stranger.population, stranger.cries):
            away = [stranger.population.nonconformity(cry, belief) for cry in others]
            shares.append(np.mean(np.array(away) <= own))
    return float(np.mean(shares)) if shares else 1.0


def strangers_of(
    x: NDArray[np.floating], names: NDArray[np.str_], firsts: NDArray[np.bool_], evenness: float
) -> Iterator[Stranger]:
    """Every infant of rows [n, size] as a stranger, cross-fitted.

    firsts [n]: one row of each sitting; evenness: see `population.within_and_between`.
    """
    infants = np.unique(names)
    order = np.random.default_rng(0).permutation(infants.size)
    for fold in np.array_split(order, min(FOLDS, infants.size)):
        held_out = np.isin(names, infants[fold])
        if held_out.all():
            continue
        known = firsts & ~held_out
        population = Population.fit_population(x[known], names[known], evenness)
        for infant in infants[fold]:
            others = x[held_out & firsts & (names != infant)]
            yield Stranger(str(infant), x[names == infant], others, population)


def variance_within(strangers: Sequence[Stranger]) -> float:
    """The mean variance within infants whom the whitening has not seen; 1 by the fit's own lights.

    It is not 1: shrinkage widens the small directions. Beliefs start from 1, so the difference
    would have scores rise with every cry that an infant's own spread is learnt from.
    """
    scatter, freedom = 0.0, 0
    for stranger in strangers:
        whiten = stranger.population.whiten
        scatter += stranger.population.scatter(np.array([whiten(cry) for cry in stranger.cries]))
        freedom += len(stranger.cries) - 1
    return scatter / freedom if freedom and scatter > 0 else 1.0


def variance_for_mean(strangers: Sequence[Stranger], mean: float, variance: float) -> float:
    """The variance at which these strangers' scores have this mean; `variance` if they have none.

    Scores and not scatter are matched: an infant of two alike recordings has little to say about
    scatter, and its scores are what counts. They fall as the variance rises: bisection finds it.
    """
    if len(pooled_scores(strangers, variance)) < FEWEST_SCORES:
        return variance
    low, high = variance / MOST_STRETCH, variance * MOST_STRETCH
    for _ in range(20):
        middle = math.sqrt(low * high)
        if np.mean(pooled_scores(strangers, middle)) > mean:
            low = middle
        else:
            high = middle
    return middle


def pooled_scores(strangers: Sequence[Stranger], variance: float) -> list[float]:
    """The strangers' pooled scores, were this the variance within an infant."""
    return [
        score
        for stranger in strangers
        for score in _leave_one_out(stranger.population.rescaled(variance), stranger.cries)
    ]


def _leave_one_out(population: Population, cries: NDArray[np.floating]) -> Iterator[float]:
    """Nonconformity of an infant's cries [n, size], each against the others."""
    return (score for score, _ in _left_out(population, cries))


def _left_out(
    population: Population, cries: NDArray[np.floating]
) -> Iterator[tuple[float, Belief]]:
    """Nonconformity of each of an infant's cries [n, size], and what the others say of it."""
    whitened = np.array([population.whiten(cry) for cry in cries])
    if len(whitened) <= MIN_OTHERS:
        return
    for left_out in range(min(len(whitened), MAX_SCORES_PER_INFANT)):
        others = np.delete(whitened, left_out, axis=0)
        belief = population.believe(others.mean(axis=0), population.scatter(others), len(others))
        yield population.nonconformity(whitened[left_out], belief), belief
