"""What all infants of a ward share, fitted once and read by every personal model.

The population (`population.py`) says where an infant's cries may lie; the pooled scores here say
how far from its own infant a usual cry is found, which no infant with two cries can say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from models.deviation.population import Population, WardError
from models.deviation.strangers import (
    FEWEST_SCORES,
    MIN_OTHERS,
    best_evenness,
    first_of_sittings,
    pooled_scores,
    strangers_of,
    variance_for_mean,
    variance_within,
)

DEFAULT_PATH = Path(__file__).parent.parent / "weights" / "ward.safetensors"
FORMAT = "vagitus-ward-1"
EMBEDDER_KEY = "embedder"


class WardModel(Population):
    """The shared part of every infant's model.

    mean, middle, transform and between: see Population; scores float [n], nonconformity scores of
    infants' cries, each against that infant's others. `embedder_version` names the embedder whose
    cries these are, None if nobody said: with another's the scores mean nothing.
    """

    def __init__(
        self,
        mean: NDArray[np.floating],
        middle: NDArray[np.floating],
        transform: NDArray[np.floating],
        between: NDArray[np.floating],
        scores: NDArray[np.floating],
        embedder_version: str | None = None,
    ) -> None:
        # Rounded to what the file holds, so that a saved and loaded ward scores bit for bit alike.
        arrays = {
            "mean": np.ascontiguousarray(mean, dtype=np.float32),
            "middle": np.ascontiguousarray(middle, dtype=np.float32),
            "transform": np.ascontiguousarray(transform, dtype=np.float32),
            "between": np.ascontiguousarray(between, dtype=np.float32),
            "scores": np.sort(np.asarray(scores, dtype=np.float32)),
        }
        size = arrays["mean"].size
        if (
            arrays["mean"].shape != (size,)
            or arrays["middle"].shape != (size,)
            or arrays["transform"].shape != (size, size)
            or arrays["between"].shape != (size,)
            or arrays["scores"].ndim != 1
            or arrays["scores"].size < MIN_OTHERS
        ):
            raise WardError("the arrays of this ward model do not fit together")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise WardError("this ward model holds numbers that are not finite")
        self._arrays = arrays
        self.embedder_version = embedder_version
        super().__init__(arrays["mean"], arrays["middle"], arrays["transform"], arrays["between"])
        self.scores = arrays["scores"].astype(np.float64)
        self.usual_score = float(self.scores.mean())
        self.usual_scatter = float(self.scores.std())
        if self.usual_scatter <= 0:
            raise WardError("all pooled scores of this ward model are equal")

    @cached_property  # asked for with every cry; the numbers stay as they are
    def version(self) -> str:
        """The format and a fingerprint of the numbers: two wards that score alike share it."""
        digest = hashlib.sha256()
        for name in sorted(self._arrays):
            digest.update(self._arrays[name].tobytes())
        return f"ward-1-{digest.hexdigest()[:8]}"

    @classmethod
    def fit(
        cls,
        embeddings: NDArray[np.floating],
        infants: Sequence[str],
        sittings: Sequence[Hashable] | None = None,
        unseen: Collection[str] = (),
        embedder_version: str | None = None,
        evenness: float | None = None,
    ) -> WardModel:
        """The ward of these cries: embeddings float [n, size], infants n names.

        `sittings` names, within an infant, when each was recorded. Cries of one sitting share a
        room, a recorder and a mood: of each, one tells how infants and cries vary, or else what
        sittings share would be taken for the infant's. What is usual is told by all.

        `unseen` are infants whom the embedder was not trained on. It draws together the cries of
        those it knows, more than those of any infant it will meet; the unseen say how much more.

        `evenness`: see `within_and_between`; None takes one of EVENNESS, the one by which infants
        are told apart.

        Raises WardError when a number is not finite, no infant has two cries, or infants with
        three or more are too few to say what is usual.
        """
        x, names = np.asarray(embeddings), np.asarray(infants)
        firsts = first_of_sittings(infants, sittings)
        if evenness is None:
            evenness = best_evenness(x, names, firsts)
        strangers = list(strangers_of(x, names, firsts, evenness))
        population = Population.fit_population(x[firsts], names[firsts], evenness)
        variance = variance_within(strangers)
        scores = pooled_scores(strangers, variance)
        if len(scores) < FEWEST_SCORES:
            raise WardError(
                f"only {len(scores)} cries of infants with three or more: too few to say what "
                "is usual"
            )
        met = [stranger for stranger in strangers if stranger.infant in set(unseen)]
        population = population.rescaled(variance_for_mean(met, np.mean(scores), variance))
        return cls(
            population.mean,
            population.middle,
            population.transform,
            population.between,
            np.array(scores),
            embedder_version,
        )

    def save(self, path: Path) -> None:
        """Write the model as safetensors."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not save_file, which makes a file that only its owner can read.
        metadata = {"format": FORMAT}
        if self.embedder_version is not None:
            metadata[EMBEDDER_KEY] = self.embedder_version
        path.write_bytes(save(self._arrays, metadata=metadata))

    @classmethod
    def load(cls, path: Path | None = None) -> WardModel:
        """Read a ward model; None reads the one that is shipped. Raises WardError."""
        path = path or DEFAULT_PATH
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                form = metadata.get("format")
                if form != FORMAT:
                    raise WardError(f"{path} is of format {form!r}; this version reads {FORMAT!r}")
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise WardError(f"{path} is not a readable ward model: {error}") from error
        missing = {"mean", "middle", "transform", "between", "scores"} - arrays.keys()
        if missing or len(arrays) > 5:
            raise WardError(f"{path} does not hold the arrays of a ward model")
        return cls(**arrays, embedder_version=metadata.get(EMBEDDER_KEY))
