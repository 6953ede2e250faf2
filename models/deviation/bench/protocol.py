"""The protocol of ICLAS's table on recordings of real infants.

Of each infant the earlier half enrols and the later half is usual; as many recordings of others
are deviations, of the same platform, age band and sex as far as there are any. Folds over infants:
neither the infant that is scored nor those that play the deviations were seen by the ward.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.deviation.bench.contestants import Contestant, Wards
from models.deviation.bench.harness import Judge, Known
from models.deviation.check import ALARM_BELOW_P, FEWEST_RECORDINGS
from models.deviation.strangers import FOLDS

# donateacry's names end in sex, age band and reason: "…-m-04-hu.caf".
TAGS = re.compile(r"-(?P<sex>[mf])-(?P<age>\w+)-\w+\.\w+$")


@dataclass(frozen=True)
class Kind:
    """What a deviation should have in common with the infant that it is held against."""

    platform: str = ""
    age: str = ""
    sex: str = ""

    @classmethod
    def of(cls, path: str) -> Kind:
        """From a recording's path; what it does not say is empty."""
        tags = TAGS.search(path)
        platform = next((name for name in ("android", "ios") if name in path), "")
        return cls(platform, tags["age"] if tags else "", tags["sex"] if tags else "")

    def distance(self, other: Kind) -> int:
        """0 where all agrees; the platform counts for more than age and sex together."""
        return (
            4 * (self.platform != other.platform)
            + 2 * (self.age != other.age)
            + (self.sex != other.sex)
        )


@dataclass(frozen=True)
class Corpus:
    """Recordings in the order of time: `Known`, and each one's kind [n]."""

    known: Known
    kinds: Sequence[Kind]


@dataclass(frozen=True)
class Trial:
    """Rows of one infant: those that enrol, the usual ones and the deviations."""

    infant: str
    enrol: NDArray[np.intp]
    usual: NDArray[np.intp]
    deviations: NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """The wards of all other infants, and who is judged with them."""

    wards: Wards
    trials: list[Trial]


def folds(corpus: Corpus, repeats: int, seed: int = 0) -> Iterator[Fold]:
    """FOLDS folds, drawn `repeats` times. Raises WardError when a fold cannot be fitted."""
    names = corpus.known.infants
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        for fold in np.array_split(rng.permutation(np.unique(names)), FOLDS):
            held_out = np.isin(names, fold)
            trials = list(_trials(corpus, held_out, rng))
            if trials:
                rows = np.flatnonzero(~held_out)
                known = Known(
                    corpus.known.x[rows],
                    names[rows],
                    [corpus.known.sittings[row] for row in rows],
                    corpus.known.unseen,
                )
                yield Fold(Wards.of(known), trials)


def _trials(
    corpus: Corpus, held_out: NDArray[np.bool_], rng: np.random.Generator
) -> Iterator[Trial]:
    names = corpus.known.infants
    for infant in np.unique(names[held_out]):
        rows = np.flatnonzero(names == infant)
        if len(rows) < FEWEST_RECORDINGS:
            continue
        half = len(rows) // 2
        others = rng.permutation(np.flatnonzero(held_out & (names != infant)))
        distances = [corpus.kinds[rows[0]].distance(corpus.kinds[other]) for other in others]
        nearest = others[np.argsort(distances, kind="stable")]
        yield Trial(str(infant), rows[:half], rows[half:], nearest[: len(rows) - half])


def figures(
    contestant: Contestant, made: Sequence[Fold], corpus: Corpus, tick: Callable[[], None]
) -> dict[str, dict[str, float]]:
    """By infant: its recordings, and AUC, AP, F1, recall and FPR, means over the repeats."""
    pool = contestant.pool()
    found: dict[str, list[dict[str, float]]] = {}
    for fold in made:
        pooled = contestant.pooled(pool, fold.wards)
        for trial in fold.trials:
            judge = contestant.judge(fold.wards, pooled)
            measured = _judge(judge, trial, corpus.known.x)
            if measured is not None:
                found.setdefault(trial.infant, []).append(measured)
        tick()
    return {
        infant: {name: float(np.mean([m[name] for m in many])) for name in many[0]}
        for infant, many in found.items()
    }


def _judge(judge: Judge, trial: Trial, x: NDArray[np.floating]) -> dict[str, float] | None:
    for row in trial.enrol:
        judge.observe(x[row], f"row-{row}")
    usual, deviations = [], []
    for row, other in zip(trial.usual, trial.deviations, strict=False):
        # Both meet the infant as it is known by then; only its own may be learnt from.
        deviations.append(judge.probe(x[other], f"row-{other}"))
        usual.append(judge.observe(x[row], f"row-{row}"))
    own = np.array([verdict for verdict in usual if verdict is not None])
    other = np.array([verdict for verdict in deviations if verdict is not None])
    if not len(own) or not len(other):
        return None
    return {"recordings": len(trial.enrol) + len(trial.usual)} | scored(own, other)


def scored(own: NDArray[np.float64], other: NDArray[np.float64]) -> dict[str, float]:
    """Figures of usual [n, 2] and deviant [m, 2] verdicts (sigma, p-value)."""
    missed = np.mean(other[:, 1] >= ALARM_BELOW_P)
    false = own[:, 1] < ALARM_BELOW_P
    caught = float((1.0 - missed) * len(other))
    return {
        "auc": area(own[:, 0], other[:, 0]),
        "ap": average_precision(own[:, 0], other[:, 0]),
        "f1": 2.0 * caught / (caught + float(false.sum()) + len(other)),
        "recall": float(1.0 - missed),
        "fpr": float(false.mean()),
    }


def area(own: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Under the ROC curve, of scores [n] and [m]; equal ones count half."""
    difference = other[:, None] - own
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def average_precision(own: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Precision at each deviation's own threshold, averaged; scores [n] and [m]."""
    caught = np.array([np.sum(other >= score) for score in other])
    false = np.array([np.sum(own >= score) for score in other])
    return float(np.mean(caught / (caught + false)))
