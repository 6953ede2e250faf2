"""Which cries an infant's baseline may learn from, and why not the others.

A baseline that learnt from everything would learn the neighbour, the vacuum cleaner and, step by
step, the illness that it is there to notice. Every decision has one reason, for the timeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Shorter segments are coughs and single gasps, or cries cut by the monitor: their embeddings
# say more about where they were cut than about who cried.
MIN_SECONDS = 1.0
# The detector's own line between cry and no cry, for the mean over a segment's seconds.
CRY_FROM = 0.5
# To be learnt from, a cry must be surely one; between the two lines it is only scored.
SURELY_CRY_FROM = 0.7
# One sample in a hundred at full scale is distortion that anyone hears, and adds harmonics.
MAX_CLIPPED_FRACTION = 0.01
# Under this, recordings said to be cries turn out to hold a far-off one or nothing.
MIN_LEVEL_DBFS = -55.0
# Less far above the room's noise, the room is a good part of the embedding.
MIN_ABOVE_NOISE_DB = 6.0
# One usual cry in seven is odd: it is learnt from later, once usual ones follow (waiting.py). A
# third as many, and the first cries of a changed voice are learnt in half the wards.
ODD_BELOW_P = 0.15
# A cry this rare under the baseline, if learnt from, would move it towards what it should point
# out: it waits for longer.
DEVIANT_BELOW_P = 0.01
# Log-odds (natural) against this infant that outweigh a prior of one strange cry in twenty being
# another infant's.
SOMEONE_ELSE_BELOW = -3.0


class Decision(StrEnum):
    """Whether the baseline learns from a cry."""

    ACCEPTED = "accepted"
    HELD = "held"
    """Perhaps later, if usual cries follow: see `waiting.Waiting`."""
    REFUSED = "refused"


class Reason(StrEnum):
    """Why; the first three accept, the next two hold back, all others refuse."""

    LEARNING = "learning"
    """Taken while the baseline is not ready."""
    NORMAL = "normal"
    """Taken: usual for this infant."""
    RESTARTED = "learning_restarted"
    """Taken as the first of a new baseline: most cries contradicted the first few."""

    ODD = "odd"
    """Held back: less usual for this infant than nine of ten of its cries."""
    DEVIANT = "deviant"
    """Held back: unusual for this infant."""

    NO_CRY = "no_cry"
    """No cry was found, or not a cry by the detector's own line."""
    NOT_SURE_CRY = "not_sure_cry"
    """Perhaps a cry."""
    TOO_SHORT = "too_short"
    CLIPPED = "clipped"
    """The monitor was overdriven."""
    TOO_QUIET = "too_quiet"
    """Far from the monitor, or not at all in the room."""
    TOO_NOISY = "too_noisy"
    """Hardly louder than the room."""
    PAUSED = "paused"
    """Learning is paused for this infant by staff."""
    SOMEONE_ELSE = "someone_else"
    """Unusual for this infant and likelier another one's."""
    UNASSIGNED = "unassigned"
    """No infant is admitted at this monitor."""

    @property
    def decision(self) -> Decision:
        """What follows from this reason."""
        if self in {Reason.LEARNING, Reason.NORMAL, Reason.RESTARTED}:
            return Decision.ACCEPTED
        return Decision.HELD if self in {Reason.ODD, Reason.DEVIANT} else Decision.REFUSED

    @property
    def is_own_cry(self) -> bool:
        """Whether the sound was fit to say something about this infant's cry.

        Also true where it seems someone else's: an infant whose cry has changed much seems so.
        """
        return self.decision is not Decision.REFUSED or self is Reason.SOMEONE_ELSE


@dataclass(frozen=True)
class Sound:
    """What the gate knows of a segment's sound: see `baseline.Observation`."""

    seconds: float
    cry_score: float
    level_dbfs: float
    clipped_fraction: float
    noise_dbfs: float | None = None


def unfit(sound: Sound, paused: bool) -> Reason | None:
    """Why nothing may be learnt from this sound, whoever cried; None if something may."""
    if sound.cry_score < CRY_FROM:
        return Reason.NO_CRY
    if sound.seconds < MIN_SECONDS:
        return Reason.TOO_SHORT
    if sound.clipped_fraction > MAX_CLIPPED_FRACTION:
        return Reason.CLIPPED
    if sound.level_dbfs < MIN_LEVEL_DBFS:
        return Reason.TOO_QUIET
    if sound.noise_dbfs is not None and sound.level_dbfs - sound.noise_dbfs < MIN_ABOVE_NOISE_DB:
        return Reason.TOO_NOISY
    if sound.cry_score < SURELY_CRY_FROM:
        return Reason.NOT_SURE_CRY
    return Reason.PAUSED if paused else None


def strange(p_value: float | None, evidence: float) -> Reason | None:
    """Why a fit cry is not this infant's usual one; None if it is, or if that is unknown.

    evidence: log-likelihood ratio (natural) of this infant against any other.
    """
    if p_value is None or p_value >= ODD_BELOW_P:
        return None
    if p_value >= DEVIANT_BELOW_P:
        return Reason.ODD
    return Reason.SOMEONE_ELSE if evidence < SOMEONE_ELSE_BELOW else Reason.DEVIANT
