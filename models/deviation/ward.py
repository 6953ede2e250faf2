"""What all infants of a ward share, fitted once and read by every personal model.

The population (`population.py`) says where an infant's cries may lie; the pooled scores here say
how far from its own infant a usual cry is found, which no infant with two cries can say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from models.deviation.population import Population, WardError

DEFAULT_PATH = Path(__file__).parent.parent / "weights" / "ward.safetensors"
FORMAT = "vagitus-ward-1"

# Leave-one-out needs this many others: it is where a baseline begins to give scores.
MIN_OTHERS = 2
# An infant with hundreds of recordings would otherwise speak for the whole ward.
MAX_SCORES_PER_INFANT = 12
# Whitening is fitted without the infants whose scores it then yields; more folds cost fitting
# time and change the scores by less than their own error.
FOLDS = 8

# Below this a percentile of the pooled scores is a single cry's.
FEWEST_SCORES = 10


class WardModel(Population):
    """The shared part of every infant's model.

    mean float [size]; transform float [size, size], applied as `transform @ (embedding - mean)`;
    between float [size], the variance of infants' means after the transform, largest first;
    scores float [n], nonconformity scores of infants' cries, each against that infant's others.
    """

    def __init__(
        self,
        mean: NDArray[np.floating],
        transform: NDArray[np.floating],
        between: NDArray[np.floating],
        scores: NDArray[np.floating],
    ) -> None:
        # Rounded to what the file holds, so that a saved and loaded ward scores bit for bit alike.
        arrays = {
            "mean": np.ascontiguousarray(mean, dtype=np.float32),
            "transform": np.ascontiguousarray(transform, dtype=np.float32),
            "between": np.ascontiguousarray(between, dtype=np.float32),
            "scores": np.sort(np.asarray(scores, dtype=np.float32)),
        }
        size = arrays["mean"].size
        if (
            arrays["mean"].shape != (size,)
            or arrays["transform"].shape != (size, size)
            or arrays["between"].shape != (size,)
            or arrays["scores"].ndim != 1
            or arrays["scores"].size < MIN_OTHERS
        ):
            raise WardError("the arrays of this ward model do not fit together")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise WardError("this ward model holds numbers that are not finite")
        self._arrays = arrays
        super().__init__(arrays["mean"], arrays["transform"], arrays["between"])
        self.scores = arrays["scores"].astype(np.float64)
        self.usual_score = float(self.scores.mean())
        self.usual_scatter = float(self.scores.std())
        if self.usual_scatter <= 0:
            raise WardError("all pooled scores of this ward model are equal")

    @property
    def version(self) -> str:
        """The format and a fingerprint of the numbers: two wards that score alike share it."""
        digest = hashlib.sha256()
        for name in sorted(self._arrays):
            digest.update(self._arrays[name].tobytes())
        return f"ward-1-{digest.hexdigest()[:8]}"

    @classmethod
    def fit(cls, embeddings: NDArray[np.floating], infants: Sequence[str]) -> WardModel:
        """The ward of these cries: embeddings float [n, size], infants n names.

        Raises WardError when a number is not finite, no infant has two cries, or infants with
        three or more are too few to say what is usual.
        """
        population = cls.fit_population(embeddings, infants)
        strangers = list(_strangers(np.asarray(embeddings), np.asarray(infants)))
        variance = _variance_of_strangers(strangers)
        scores = [
            score
            for fold, cries in strangers
            for score in _leave_one_out(fold.rescaled(variance), cries)
        ]
        if len(scores) < FEWEST_SCORES:
            raise WardError(
                f"only {len(scores)} cries of infants with three or more: too few to say what "
                "is usual"
            )
        population = population.rescaled(variance)
        return cls(population.mean, population.transform, population.between, np.array(scores))

    def save(self, path: Path) -> None:
        """Write the model as safetensors."""
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(self._arrays, path, metadata={"format": FORMAT})

    @classmethod
    def load(cls, path: Path | None = None) -> WardModel:
        """Read a ward model; None reads the one that is shipped. Raises WardError."""
        path = path or DEFAULT_PATH
        try:
            with safe_open(path, framework="numpy") as file:
                form = (file.metadata() or {}).get("format")
                if form != FORMAT:
                    raise WardError(f"{path} is of format {form!r}; this version reads {FORMAT!r}")
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise WardError(f"{path} is not a readable ward model: {error}") from error
        missing = {"mean", "transform", "between", "scores"} - arrays.keys()
        if missing:
            raise WardError(f"{path} lacks {', '.join(sorted(missing))}")
        return cls(arrays["mean"], arrays["transform"], arrays["between"], arrays["scores"])


def _strangers(
    x: NDArray[np.floating], names: NDArray[np.str_]
) -> Iterator[tuple[Population, NDArray[np.floating]]]:
    """Each infant's cries [n, size], with a population fitted without it.

    A ward fitted on the infant would find its cries nearer than it finds a stranger's: with 192
    dimensions and some hundreds of recordings, far nearer.
    """
    infants = np.unique(names)
    order = np.random.default_rng(0).permutation(infants.size)
    for fold in np.array_split(order, min(FOLDS, infants.size)):
        held_out = np.isin(names, infants[fold])
        if held_out.all():
            continue
        population = Population.fit_population(x[~held_out], names[~held_out])
        for infant in infants[fold]:
            yield population, x[names == infant]


def _variance_of_strangers(
    strangers: Sequence[tuple[Population, NDArray[np.floating]]],
) -> float:
    """The mean variance within infants whom the whitening has not seen; 1 by the fit's own lights.

    It is not 1: shrinkage widens the small directions. Beliefs start from 1, so the difference
    would have scores rise with every cry that an infant's own spread is learnt from.
    """
    scatter, freedom = 0.0, 0
    for population, cries in strangers:
        whitened = np.array([population.whiten(cry) for cry in cries])
        scatter += float(np.sum(np.square(whitened - whitened.mean(axis=0))))
        freedom += (len(cries) - 1) * population.size
    return scatter / freedom if freedom and scatter > 0 else 1.0


def _leave_one_out(population: Population, cries: NDArray[np.floating]) -> Iterator[float]:
    """Nonconformity of an infant's cries [n, size], each against the others."""
    whitened = np.array([population.whiten(cry) for cry in cries])
    if len(whitened) <= MIN_OTHERS:
        return
    for left_out in range(min(len(whitened), MAX_SCORES_PER_INFANT)):
        others = np.delete(whitened, left_out, axis=0)
        mean = others.mean(axis=0)
        belief = population.believe(mean, float(np.sum(np.square(others - mean))), len(others))
        yield population.nonconformity(whitened[left_out], belief)
