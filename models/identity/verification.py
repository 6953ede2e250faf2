"""Cry verification: do two recordings come from the same infant?

Trials and figures as in the CryCeleb challenge (Budaghyan et al. 2023), with two rules against
easy answers: the two recordings of a pair come from the same kind of phone, and those of the same
infant lie more than 30 minutes apart, as pairs recorded together share a room and a phone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

MINIMUM_GAP_MS = 30 * 60 * 1000
BOOTSTRAP_ROUNDS = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Owner:
    """Whose recording it is, and when and on what kind of phone it was made.

    `group` is the app install that made it: of the same home, if not of the same infant. Where
    recordings have a `period` (birth, discharge), only those of two periods are compared.
    """

    infant: str
    group: str
    platform: str
    recorded_at_ms: int
    period: str = ""


@dataclass(frozen=True)
class Trials:
    """Every pair that may be asked about.

    `first`, `second` int [pairs] index the recordings; `same` bool [pairs]; `infants` int
    [pairs, 2] names the two infants by number, for resampling.
    """

    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    infants: np.ndarray


@dataclass(frozen=True)
class EqualErrorRate:
    """An equal-error rate with its interval, and the pairs and infants behind it.

    `paired_infants` are those who make the same pairs: the figure is about them. An infant with
    twenty recordings makes more pairs than ten with six, so `by_infant` is the rate when each of
    them has one vote.
    """

    rate: float
    low: float
    high: float
    by_infant: float
    same_pairs: int
    different_pairs: int
    infants: int
    paired_infants: int


def all_trials(owners: Sequence[Owner]) -> Trials:
    """Pair every two recordings that the rules allow.

    Two identities of one app install are neither the same infant nor surely different ones (sex
    tags are typed by tired parents), so such a pair is left out.
    """
    numbers = {name: i for i, name in enumerate(sorted({r.infant for r in owners}))}
    infant = np.array([numbers[r.infant] for r in owners], dtype=int)
    group = np.array([r.group for r in owners])
    platform = np.array([r.platform for r in owners])
    time = np.array([r.recorded_at_ms for r in owners], dtype=np.int64)
    period = np.array([r.period for r in owners])
    first, second = np.triu_indices(len(owners), k=1)
    same = infant[first] == infant[second]
    apart = np.abs(time[first] - time[second]) > MINIMUM_GAP_MS
    asked = (platform[first] == platform[second]) & np.where(
        same, apart, group[first] != group[second]
    )
    asked &= (period[first] == "") | (period[first] != period[second])
    first, second = first[asked], second[asked]
    return Trials(first, second, same[asked], np.stack([infant[first], infant[second]], axis=1))


def equal_error_rate(
    scores: np.ndarray, same: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Where false rejections equal false acceptances: float [pairs], bool [pairs] -> 0..1.

    `weights` (float [pairs]) counts a pair more than once, or not at all. NaN if a kind of pair
    is missing.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(-scores, kind="stable")
    hits = (weights * same)[order].cumsum()
    alarms = (weights * ~same)[order].cumsum()
    if not len(hits) or hits[-1] == 0 or alarms[-1] == 0:
        return float("nan")
    # A threshold lies between different scores only: equal ones stand or fall together.
    ends = np.append(np.diff(scores[order]) != 0, True)
    missed = 1 - np.append(0, hits[ends]) / hits[-1]
    accepted = np.append(0, alarms[ends]) / alarms[-1]
    crossing = int(np.argmax(accepted >= missed))
    gap = missed - accepted
    # Straight line between the two thresholds on either side of the crossing.
    share = gap[crossing - 1] / (gap[crossing - 1] - gap[crossing])
    return float(missed[crossing - 1] + share * (missed[crossing] - missed[crossing - 1]))


def recordings_error_rate(embeddings: np.ndarray, owners: Sequence[Owner]) -> float:
    """Equal-error rate of cosine scores alone: quick, for a look while training.

    `embeddings` is float32 [recordings, size], of unit length; NaN without a pair of either kind.
    """
    trials = all_trials(owners)
    return equal_error_rate(cosines(embeddings, trials), trials.same)


def cosines(embeddings: np.ndarray, trials: Trials) -> np.ndarray:
    """Cosine scores: float32 [recordings, size], of unit length, -> float32 [pairs]."""
    return np.einsum("ij,ij->i", embeddings[trials.first], embeddings[trials.second])


def verify(embeddings: np.ndarray, owners: Sequence[Owner], seed: int = 0) -> EqualErrorRate:
    """`measure` of the cosine scores of all trials among recordings.

    `embeddings` is float32 [recordings, size], of unit length.
    """
    trials = all_trials(owners)
    return measure([(cosines(embeddings, trials), trials)], seed)


def measure(parts: Sequence[tuple[np.ndarray, Trials]], seed: int = 0) -> EqualErrorRate:
    """Equal-error rate with a bootstrap interval over infants: the mean over `parts`.

    A part is scores float [pairs] and their trials; scores of two parts are never compared, so
    each may come from another model (held-out folds). Infants are drawn with replacement within
    their part; a pair of the same infant counts as often as that infant was drawn, a pair of two
    infants as often as the product.
    """
    rng = np.random.default_rng(seed)
    draws = [_bootstrap(scores, trials, rng) for scores, trials in parts]
    # A draw may hold no same pair at all: it has no rate.
    rates = [value for value in np.mean(draws, axis=0) if not np.isnan(value)]
    edge = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(rates, [edge, 100 - edge]) if rates else (np.nan, np.nan)
    return EqualErrorRate(
        rate=_mean(equal_error_rate(s, t.same) for s, t in parts),
        low=float(low),
        high=float(high),
        by_infant=_mean(equal_error_rate(s, t.same, _one_vote_each(t)) for s, t in parts),
        same_pairs=sum(int(t.same.sum()) for _, t in parts),
        different_pairs=sum(int((~t.same).sum()) for _, t in parts),
        infants=sum(_infants(t) for _, t in parts),
        paired_infants=sum(len(np.unique(t.infants[t.same])) for _, t in parts),
    )


def _bootstrap(scores: np.ndarray, trials: Trials, rng: np.random.Generator) -> list[float]:
    infants = _infants(trials)
    # Sorted once: sorting what is in order costs next to nothing in each round.
    order = np.argsort(-scores, kind="stable")
    scores, same, who = scores[order], trials.same[order], trials.infants[order]
    rates = []
    for _ in range(BOOTSTRAP_ROUNDS if infants else 0):
        drawn = np.bincount(rng.integers(infants, size=infants), minlength=infants)
        counts = drawn[who]
        weights = np.where(same, counts[:, 0], counts[:, 0] * counts[:, 1]).astype(float)
        rates.append(equal_error_rate(scores, same, weights))
    return rates


def _one_vote_each(trials: Trials) -> np.ndarray:
    """Weights float [pairs] with which the same pairs of every infant count one in all."""
    pairs = np.bincount(trials.infants[trials.same][:, 0], minlength=_infants(trials))
    return np.where(trials.same, 1 / np.maximum(pairs[trials.infants[:, 0]], 1), 1.0)


def _infants(trials: Trials) -> int:
    return int(trials.infants.max()) + 1 if len(trials.infants) else 0


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
