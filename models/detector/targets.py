"""What a window shall be taken for: from its marks, from a teacher, or from both."""

import numpy as np
from numpy.typing import NDArray

from models.corpora.labels import CRY_SECONDS, ROUNDING_SECONDS

# Nobody is sure of a second: a label is 0.99, not 1.
SURENESS = 0.98
# A window with some cry in it, but less than makes a second a cry, counts for little.
EDGE_WEIGHT = 0.3
# How much of a cry recording's target is the teacher's: marks err at edges and on fussing.
TEACHER_SHARE = 0.6
# The teacher says what it thinks of every second at so many offsets into it.
TEACHER_SHIFTS = 8


def targets_of(
    shares: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Targets and weights [batch] from how much of each window is a cry; nan weighs nothing."""
    known = np.nan_to_num(shares)
    whole = known >= CRY_SECONDS - ROUNDING_SECONDS
    edge = (known > 0) & ~whole
    target = np.where(whole, 1.0, known / (2 * CRY_SECONDS))
    weight = np.where(np.isnan(shares), 0.0, np.where(edge, EDGE_WEIGHT, 1.0))
    target = target * SURENESS + (1 - SURENESS) / 2
    return target.astype(np.float32), weight.astype(np.float32)


def with_teacher(
    shares: NDArray[np.float64], of_cry_recording: NDArray[np.bool_], logits: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `targets_of`, but in cry recordings the teacher has its say.

    Args:
        shares: how much of each window is a cry; nan where nobody marked it: there the teacher
            alone decides. What is labelled as another sound is another sound, whatever it thinks.
        of_cry_recording: bool [batch].
        logits: of the teacher; nan where it was not asked.
    """
    target, weight = targets_of(shares)
    asked = of_cry_recording & np.isfinite(logits)
    opinion = 1 / (1 + np.exp(-np.nan_to_num(logits).astype(np.float64)))
    mixed = (1 - TEACHER_SHARE) * target + TEACHER_SHARE * opinion
    target = np.where(asked, np.where(np.isnan(shares), opinion, mixed), target)
    return target.astype(np.float32), np.where(asked, 1.0, weight).astype(np.float32)
