"""How well personal models would serve infants whom the ward model has not seen.

The protocol of ICLAS's table, within the rows that a ward is fitted to: of each infant with
enough recordings the earlier half enrols and the later half is usual; as many recordings of other
unseen infants are unusual. Cross-validated over infants, so that no figure is of an infant whose
cries the ward was fitted to.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.deviation.baseline import Baseline, Observation
from models.deviation.population import WardError
from models.deviation.strangers import FOLDS, MIN_OTHERS
from models.deviation.ward import WardModel

# Two to enrol, the fewest that scores begin with, and two usual ones.
FEWEST_RECORDINGS = 2 * MIN_OTHERS
ALARM_BELOW_P = 0.05


@dataclass(frozen=True)
class Check:
    """What cross-validation found; rates are at p < ALARM_BELOW_P.

    auc: of sigma, over all usual and unusual recordings; the rest per infant: mean and standard
    deviation over infants.
    """

    infants: int
    recordings: int
    auc: float
    infant_auc: tuple[float, float]
    false_positives: tuple[float, float]
    recall: tuple[float, float]

    def __str__(self) -> str:
        pairs = {
            "AUC per infant": self.infant_auc,
            "false-positive rate": self.false_positives,
            "recall": self.recall,
        }
        spread = ", ".join(f"{name} {m:.3f} ± {sd:.3f}" for name, (m, sd) in pairs.items())
        return (
            f"{self.infants} infants unseen by the ward, {self.recordings} usual recordings: AUC "
            f"{self.auc:.3f}, {spread} at p < {ALARM_BELOW_P}"
        )


def cross_check(
    embeddings: NDArray[np.floating],
    infants: Sequence[str],
    sittings: Sequence[Hashable],
    unseen: Collection[str] = (),
    seed: int = 0,
) -> Check:
    """Check embeddings float [n, size] of n named infants, in the order of time.

    sittings and unseen: see `WardModel.fit`.

    Raises WardError when no infant has enough recordings, or a fold cannot be fitted.
    """
    x, names = np.asarray(embeddings), np.asarray(infants)
    rng = np.random.default_rng(seed)
    usual: list[list[tuple[float, float]]] = []
    unusual: list[list[tuple[float, float]]] = []
    for fold in np.array_split(rng.permutation(np.unique(names)), FOLDS):
        held_out = np.isin(names, fold)
        seen = np.flatnonzero(~held_out)
        ward = WardModel.fit(x[seen], names[seen].tolist(), [sittings[row] for row in seen], unseen)
        for infant in fold:
            rows = np.flatnonzero(names == infant)
            others = np.flatnonzero(held_out & (names != infant))
            if len(rows) < FEWEST_RECORDINGS or not len(others):
                continue
            half = len(rows) // 2
            baseline = Baseline(str(infant), ward)
            for row in rows[:half]:
                baseline.observe(_heard(x[row], row))
            enrolled = baseline.to_bytes()
            usual.append(_scores(baseline, x, rows[half:]))
            chosen = rng.choice(others, len(rows) - half)
            unusual.append(
                [
                    score
                    for row in chosen
                    for score in _scores(Baseline.from_bytes(enrolled, ward), x, [row])
                ]
            )
    pairs = [(own, other) for own, other in zip(usual, unusual, strict=True) if own and other]
    if not pairs:
        raise WardError(f"no infant has {FEWEST_RECORDINGS} recordings: nothing can be checked")
    return Check(
        infants=len(pairs),
        recordings=sum(len(own) for own, _ in pairs),
        auc=_auc([s for own, _ in pairs for s in own], [s for _, other in pairs for s in other]),
        infant_auc=_over([_auc(own, other) for own, other in pairs]),
        false_positives=_over([_alarms(own) for own, _ in pairs]),
        recall=_over([_alarms(other) for _, other in pairs]),
    )


def _heard(embedding: NDArray[np.floating], row: int) -> Observation:
    """A recording's embedding as of a clean cry: the rows carry no quality of their sound."""
    return Observation(f"row-{row}", int(row), 3.0, embedding, 1.0, -20.0, 0.0)


def _scores(
    baseline: Baseline, x: NDArray[np.floating], rows: Sequence[int] | NDArray[np.intp]
) -> list[tuple[float, float]]:
    said = [baseline.observe(_heard(x[row], row)) for row in rows]
    return [(d.sigma, d.p_value) for d in said if d.sigma is not None and d.p_value is not None]


def _auc(own: list[tuple[float, float]], other: list[tuple[float, float]]) -> float:
    low = np.array([sigma for sigma, _ in own])
    high = np.array([sigma for sigma, _ in other])[:, None]
    return float(np.mean((high > low) + 0.5 * (high == low)))


def _alarms(scores: list[tuple[float, float]]) -> float:
    return float(np.mean([p_value < ALARM_BELOW_P for _, p_value in scores]))


def _over(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values))
