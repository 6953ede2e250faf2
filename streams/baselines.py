"""From an embedding to its deviation: what the deviate agent does, without a broker."""

import json
import logging
from dataclasses import dataclass

from models.deviation.baseline import Baseline, Deviation, Observation
from models.deviation.state import StateError
from models.deviation.ward import WardModel
from streams.errors import Refusal, RefusedMessage
from streams.records.cry_embedding import CryEmbedding
from streams.records.deviation import DeviationRecord
from streams.records.place import UNASSIGNED

logger = logging.getLogger(__name__)
# A crashed worker's successor repeats at most what lies between two commits: seconds.
REMEMBERED_SEGMENTS = 64


@dataclass(frozen=True, slots=True)
class StoredBaseline:
    """One row of the table: the model's arrays, and which segments went in last.

    Attributes:
        applied: ids of the last segments, so that none is applied twice.
        model: `Baseline.to_bytes()`; empty before the first segment.
    """

    applied: tuple[str, ...] = ()
    model: bytes = b""

    def encode(self) -> bytes:
        """The row's value: the ids as one line of JSON, then the arrays."""
        return json.dumps(self.applied).encode() + b"\n" + self.model

    @classmethod
    def decode(cls, value: bytes | None) -> "StoredBaseline":
        """Read a row's value back; None is a row that does not exist yet."""
        if value is None:
            return cls()
        applied, _, model = value.partition(b"\n")
        return cls(tuple(json.loads(applied)), model)


class Baselines:
    """Applies segments to the baselines of their infants."""

    def __init__(self, ward: WardModel) -> None:
        self._ward = ward

    def observe(
        self, embedding: CryEmbedding, stored: StoredBaseline
    ) -> tuple[DeviationRecord, StoredBaseline]:
        """Score a cry, ask the gate, maybe learn.

        Returns:
            what to say and what to store. Of a monitor without an admission nothing is learned.

        Raises:
            RefusedMessage: the embedding cannot be used.
        """
        applied = (*stored.applied, embedding.segment_id)[-REMEMBERED_SEGMENTS:]
        if not embedding.place.assigned:
            return _unassigned(embedding), StoredBaseline(applied)
        baseline = self._restore(embedding.place.infant, stored)
        try:
            deviation = baseline.observe(
                Observation(
                    segment_id=embedding.segment_id,
                    started_at_ms=embedding.started_at_ms,
                    seconds=embedding.seconds,
                    embedding=embedding.embedding,
                    cry_score=embedding.cry_score,
                    level_dbfs=embedding.level_dbfs,
                    clipped_fraction=embedding.clipped_fraction,
                )
            )
        except ValueError as error:
            raise RefusedMessage(Refusal.NON_FINITE, f"{embedding.segment_id}: {error}") from None
        return _record(embedding, deviation), StoredBaseline(applied, baseline.to_bytes())

    def _restore(self, infant: str, stored: StoredBaseline) -> Baseline:
        if not stored.model:
            return Baseline(infant, self._ward)
        try:
            return Baseline.from_bytes(stored.model, self._ward)
        except StateError as error:
            logger.error("The baseline of %s begins anew: %s", infant, error)
            return Baseline(infant, self._ward)


def _record(embedding: CryEmbedding, deviation: Deviation) -> DeviationRecord:
    return DeviationRecord(
        **_where(embedding, deviation.baseline_version),
        state=deviation.state.value,
        sigma=deviation.sigma,
        p_value=deviation.p_value,
        drift_sigma=deviation.drift_sigma,
        drifting=deviation.drifting,
        gate=deviation.decision.value,
        reason=deviation.reason.value,
        baseline_segments=deviation.baseline_segments,
        baseline_version=deviation.baseline_version,
    )


def _unassigned(embedding: CryEmbedding) -> DeviationRecord:
    return DeviationRecord(
        **_where(embedding, UNASSIGNED),
        state=UNASSIGNED,
        sigma=None,
        p_value=None,
        drift_sigma=None,
        drifting=False,
        gate="refused",
        reason=UNASSIGNED,
        baseline_segments=0,
        baseline_version=UNASSIGNED,
    )


def _where(embedding: CryEmbedding, baseline_version: str) -> dict[str, object]:
    place = embedding.place
    return {
        "id": f"{embedding.segment_id}#{baseline_version}",
        "segment_id": embedding.segment_id,
        "infant": place.infant,
        "ward": place.ward,
        "bed": place.bed,
        "monitor": place.monitor,
        "started_at_ms": embedding.started_at_ms,
        "seconds": embedding.seconds,
    }
