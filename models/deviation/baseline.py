"""One infant's model: what is usual for it, and what to make of its next cry."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.deviation import gate
from models.deviation.conformal import Calibration, tie_break
from models.deviation.detectors import GaussianDetector
from models.deviation.detectors.base import as_embedding
from models.deviation.drift import CUSUM_LIMIT, DriftMonitor
from models.deviation.gate import Decision, Reason
from models.deviation.state import StateError, pack, unpack
from models.deviation.strangers import MIN_OTHERS
from models.deviation.summary import Summary
from models.deviation.waiting import Cry, Waiting
from models.deviation.ward import WardModel

# The ward stands in for what six cries cannot say: from here on the share of usual cries under a
# p-value of 0.05 is 0.05 (tests/models/deviation/test_baseline.py).
READY_AFTER = 6
# Drift is watched for from here on: the error of the admission reference is the floor under every
# drift that can be seen (and it goes on learning, reference.py).
REFERENCE_CRIES = 24
# What one deviation means depends on these rules too: count up when a change alters the scores.
RULES = "baseline-6"


class State(StrEnum):
    """How far a baseline is."""

    LEARNING = "learning"
    READY = "ready"


@dataclass(frozen=True)
class Observation:
    """One cry segment as the baseline hears of it.

    embedding float32 [192]; cry_score: the mean of its seconds' scores, 0 to 1; level_dbfs: RMS;
    noise_dbfs: RMS of the room beside the cry, if it was measured.
    """

    segment_id: str
    started_at_ms: int
    seconds: float
    embedding: NDArray[np.floating]
    cry_score: float
    level_dbfs: float
    clipped_fraction: float
    learning_paused: bool = False
    noise_dbfs: float | None = None


@dataclass(frozen=True)
class Deviation:
    """What one cry segment meant for its infant.

    state and baseline_segments: after this cry.
    sigma: how many within-infant standard deviations the cry is from the infant's usual
        distance; about N(0, 1) on usual cries, large on unusual ones; None for an infant's
        first cries. It is also given where the sound was unfit to learn from: only with the
        reasons `normal`, `odd`, `deviant` and `someone_else` does it speak of the infant.
    p_value: in (0, 1], the share of usual cries that are at least as strange; None with sigma.
    drift_sigma, drifting: see `drift.DriftMonitor`.
    learnt: (segment id, start in ms) of the cries that were learnt from now: this one, and those
        that had waited for it.
    """

    state: State
    sigma: float | None
    p_value: float | None
    drift_sigma: float | None
    drifting: bool
    decision: Decision
    reason: Reason
    baseline_segments: int
    baseline_version: str
    learnt: tuple[tuple[str, int], ...]


class Baseline:
    """The personal model of one infant.

    A recorded series of cries gives the same deviations bit for bit whether the baseline stayed
    in memory or went through `to_bytes` and `from_bytes` in between.
    """

    def __init__(self, infant: str, ward: WardModel) -> None:
        self.infant = infant
        self._ward = ward
        self._begin()

    def _begin(self) -> None:
        self._detector = GaussianDetector(self._ward)
        self._calibration = Calibration(self._ward.scores, gate.DEVIANT_BELOW_P)
        self._drift = DriftMonitor(self._ward)
        # Whitened, rounded as they are stored; let go when the reference is taken.
        self._admission = np.zeros((0, self._ward.size), dtype=np.float32)
        self._waiting = Waiting()
        self._accepted = 0
        self._strange_while_learning = 0

    @property
    def version(self) -> str:
        """What scores: these rules and this ward."""
        return f"{RULES}+{self._ward.version}"

    @property
    def _detector_name(self) -> str:
        return type(self._detector).__name__

    @property
    def state(self) -> State:
        """Whether the baseline is ready to be alerted on."""
        return State.READY if self._accepted >= READY_AFTER else State.LEARNING

    def observe(self, cry: Observation) -> Deviation:
        """Score a cry, decide whether to learn from it, and perhaps do.

        Raises ValueError, and stays as it was, if any number of the cry is not finite or the
        embedding is not of the ward's size.
        """
        embedding = as_embedding(cry.embedding, self._ward.size)
        sound = gate.Sound(
            cry.seconds, cry.cry_score, cry.level_dbfs, cry.clipped_fraction, cry.noise_dbfs
        )
        if not all(math.isfinite(value) for value in astuple(sound) if value is not None):
            raise ValueError(f"segment {cry.segment_id} holds a number that is not finite")

        # Scored before anything is learnt: a remembered score must be of a cry not yet known.
        score = self._detector.score_one(embedding)
        sigma = p_value = None
        if self._accepted >= MIN_OTHERS:
            sigma, p_value = self._calibration.evaluate(score, tie_break(cry.segment_id))
        whitened = self._ward.whiten(embedding)
        reason = gate.unfit(sound, cry.learning_paused) or gate.strange(
            p_value, self._ward.evidence(whitened, self._detector.belief)
        )
        # An odd one of the first few is as good a cry as they are.
        if reason is None or (reason is Reason.ODD and self.state is State.LEARNING):
            reason = Reason.NORMAL if self.state is State.READY else Reason.LEARNING
        elif self._contradicts(reason):
            self._begin()
            reason = Reason.RESTARTED

        if reason.is_own_cry and sigma is not None:
            self._drift.update(whitened, sigma)
        # As it is stored where it waits, so that a restart changes no bit.
        heard = Cry(cry.segment_id, cry.started_at_ms, embedding.astype(np.float32), score)
        learnt = self._decide(heard, reason)
        for one in learnt:
            self._learn(one)
        return Deviation(
            state=self.state,
            sigma=sigma,
            p_value=p_value,
            drift_sigma=self._drift.sigma,
            drifting=self._drift.drifting,
            decision=reason.decision,
            reason=reason,
            baseline_segments=self._accepted,
            baseline_version=self.version,
            learnt=tuple((one.segment_id, one.started_at_ms) for one in learnt),
        )

    def _decide(self, cry: Cry, reason: Reason) -> list[Cry]:
        """What may be learnt from now; an unfit sound says nothing of those that wait."""
        if reason.decision is Decision.ACCEPTED:
            # The first score of a new baseline is the old one's.
            now = replace(cry, score=None) if reason is Reason.RESTARTED else cry
            return [*self._waiting.usual(), now]
        if reason.decision is Decision.HELD:
            self._waiting.strange(cry, deviant=reason is Reason.DEVIANT)
        elif reason.is_own_cry:
            self._waiting.strange(None)
        return []

    def _contradicts(self, reason: Reason) -> bool:
        """Whether more cries have spoken against what is being learnt than for it.

        If the first cries were another infant's, this infant's own would be refused for good.
        Once ready, a baseline stands: then so many strange cries are what it must report.
        """
        if self.state is State.READY or reason not in {Reason.SOMEONE_ELSE, Reason.DEVIANT}:
            return False
        self._strange_while_learning += 1
        return self._strange_while_learning > self._accepted

    def _learn(self, cry: Cry) -> None:
        embedding = as_embedding(cry.embedding, self._ward.size)
        whitened = self._ward.whiten(embedding)
        if cry.score is not None and self._accepted >= MIN_OTHERS:
            self._calibration.learn(cry.score)
        self._detector.learn_one(embedding)
        self._accepted += 1
        if self._drift.frozen:
            self._drift.learn(whitened)
            return
        self._admission = np.vstack([self._admission, whitened.astype(np.float32)])
        if len(self._admission) >= REFERENCE_CRIES:
            self._drift.freeze(self._admission)
            self._admission = self._admission[:0]

    def summary(self) -> Summary:
        """What there is to be said of this baseline now."""
        belief, scored = self._detector.belief, self._accepted >= MIN_OTHERS
        return Summary(
            state=self.state.value,
            version=self.version,
            accepted=self._accepted,
            ready_after=READY_AFTER,
            calibration_cries=self._calibration.scores.size,
            waiting=len(self._waiting),
            deviant_below_p=gate.DEVIANT_BELOW_P,
            deviant_sigma=self._calibration.sigma_at(gate.DEVIANT_BELOW_P) if scored else None,
            spread=belief.spread,
            adaptive_cries=int(self._detector.count),
            reference_cries=REFERENCE_CRIES,
            reference_taken=self._drift.frozen,
            apart_sigma=self._drift.distance(belief),
            drift_sigma=self._drift.sigma,
            drifting=self._drift.drifting,
            drift_sum=self._drift.sum,
            drift_limit=CUSUM_LIMIT,
        )

    def to_bytes(self) -> bytes:
        """The model as safetensors, for `from_bytes` with the same ward."""
        arrays = {
            "counts": np.array([self._accepted, self._strange_while_learning], dtype=np.int64),
            "calibration.scores": self._calibration.scores,
            "admission": self._admission,
        }
        arrays |= {f"detector.{name}": a for name, a in self._detector.to_arrays().items()}
        arrays |= {f"drift.{name}": a for name, a in self._drift.to_arrays().items()}
        held = self._waiting.to_arrays(self._ward.size)
        arrays |= {f"waiting.{name}": a for name, a in held.items()}
        labels = {"infant": self.infant, "version": self.version, "detector": self._detector_name}
        return pack(arrays, labels | {"waiting": "\n".join(self._waiting.names())})

    @classmethod
    def from_bytes(cls, blob: bytes, ward: WardModel) -> Baseline:
        """The model that `to_bytes` put away.

        Raises StateError: not such bytes, or of an unknown format, another detector, other rules or
        another ward.
        """
        arrays, labels = unpack(blob)
        try:
            baseline = cls(labels["infant"], ward)
            stored = f"{labels['version']} ({labels['detector']})"
            if stored != (now := f"{baseline.version} ({baseline._detector_name})"):
                raise StateError(
                    f"the baseline of {baseline.infant} was stored by {stored}, which {now} cannot "
                    "go on with: rebuild it from the infant's embeddings"
                )
            accepted, strange = arrays["counts"]
            baseline._accepted, baseline._strange_while_learning = int(accepted), int(strange)
            baseline._admission = np.array(arrays["admission"], dtype=np.float32)
            baseline._calibration.restore(arrays["calibration.scores"])
            baseline._detector.from_arrays(_under("detector.", arrays))
            baseline._drift.from_arrays(_under("drift.", arrays))
            names = labels["waiting"].split("\n") if labels["waiting"] else []
            baseline._waiting.from_arrays(_under("waiting.", arrays), names)
        except StateError:
            raise
        except (KeyError, ValueError, TypeError) as error:
            raise StateError(f"a stored baseline that does not fit together: {error}") from error
        return baseline


def _under(prefix: str, arrays: dict[str, NDArray]) -> dict[str, NDArray]:
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
