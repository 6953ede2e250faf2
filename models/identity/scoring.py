"""From cries to scores: what an embedding is compared with, and how.

Three scores are measured beside the plain cosine. None of them is in the stream, where the ward
model takes their place (`models/deviation`): it knows the cohort's mean and spread already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

from models.identity.clips import CryRecording
from models.identity.runtime import MIN_SECONDS, SAMPLE_RATE_HZ, unit_length
from models.identity.verification import Owner, Trials, cosines

# Whole cohorts here are smaller than the 300 or so that are usual.
TOP = 60
# Test-time augmentation: each cry also slower and faster, and in pieces as long as in tuning.
SPEEDS = (Fraction(19, 20), Fraction(21, 20))
PIECE_SECONDS = 2.0
# A cohort of one has no spread.
LEAST_DEVIATION = 1e-3

# One cry at 16 kHz, float32 [samples] -> float32 [size], of unit length.
Embed = Callable[[np.ndarray], np.ndarray]


def embed_all(
    embed: Embed, recordings: Sequence[CryRecording], augment: bool = False
) -> np.ndarray:
    """Each recording's cries, averaged: float32 [recordings, size], of unit length.

    `augment` averages over the `views` of each cry as well.
    """
    means = [
        np.mean(
            [embed(view) for cry in r.cries for view in (views(cry) if augment else [cry])], axis=0
        )
        for r in recordings
    ]
    return unit_length(np.stack(means))


def views(cry: np.ndarray) -> Iterator[np.ndarray]:
    """A cry as it is, slower, faster, and in overlapping pieces: float32 [samples] each."""
    yield cry
    for speed in SPEEDS:
        changed = resample_poly(cry, speed.denominator, speed.numerator).astype(np.float32)
        if len(changed) >= MIN_SECONDS * SAMPLE_RATE_HZ:
            yield changed
    piece = round(PIECE_SECONDS * SAMPLE_RATE_HZ)
    for start in range(0, len(cry) - piece, piece // 2):
        yield cry[start : start + piece]


@dataclass(frozen=True)
class Cohort:
    """Infants that nobody asks about, against whom scores are judged.

    `centre` float32 [size] is their mean; `infants` holds by platform float32 [infants, size],
    centred and of unit length.
    """

    centre: np.ndarray
    infants: dict[str, np.ndarray]

    @classmethod
    def of(cls, embeddings: np.ndarray, owners: Sequence[Owner]) -> Cohort:
        """From float32 [recordings, size] and their owners; an infant counts once."""
        centre = embeddings.mean(axis=0)
        centred = unit_length(embeddings - centre)
        rows: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
        for row, owner in zip(centred, owners, strict=True):
            rows[owner.platform][owner.infant].append(row)
        return cls(
            centre,
            {
                platform: unit_length(np.stack([np.mean(r, axis=0) for r in infants.values()]))
                for platform, infants in rows.items()
            },
        )


def plain_scores(
    embeddings: np.ndarray, owners: Sequence[Owner], trials: Trials, cohort: Cohort
) -> np.ndarray:
    """The cosine: float32 [recordings, size] -> float32 [pairs]."""
    return cosines(embeddings, trials)


def centred_scores(
    embeddings: np.ndarray, owners: Sequence[Owner], trials: Trials, cohort: Cohort
) -> np.ndarray:
    """The cosine after the cohort's mean is taken away, as the ward model does first."""
    return cosines(unit_length(embeddings - cohort.centre), trials)


def as_norm_scores(
    embeddings: np.ndarray, owners: Sequence[Owner], trials: Trials, cohort: Cohort
) -> np.ndarray:
    """Adaptive symmetric score normalization of the centred cosine.

    Matejka et al. 2017, equations 6 and 7 (adaptive s-norm): with m and d the mean and deviation
    of a recording's `TOP` highest scores against the cohort on its own platform,
    ((s - m_first) / d_first + (s - m_second) / d_second) / 2.

    Raises:
        KeyError: the cohort has nobody on a platform that is asked about.
    """
    centred = unit_length(embeddings - cohort.centre)
    means, deviations = np.empty((2, len(centred)), np.float32)
    for index, (row, owner) in enumerate(zip(centred, owners, strict=True)):
        top = np.sort(cohort.infants[owner.platform] @ row)[-TOP:]
        means[index], deviations[index] = top.mean(), max(top.std(), LEAST_DEVIATION)
    scores = cosines(centred, trials)
    return np.mean(
        [(scores - means[side]) / deviations[side] for side in (trials.first, trials.second)],
        axis=0,
    )


SCORINGS = {"plain": plain_scores, "centred": centred_scores, "as-norm": as_norm_scores}
