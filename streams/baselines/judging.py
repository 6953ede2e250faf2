"""From an embedding to its deviation: what the deviate agent does, without a broker."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from models.deviation.baseline import Baseline, Deviation, Observation
from models.deviation.gate import Reason
from models.deviation.state import StateError
from models.deviation.summary import Summary
from models.deviation.ward import WardModel
from streams.errors import Refusal, RefusedMessage
from streams.records.baseline_act import BaselineAct
from streams.records.cry_embedding import CryEmbedding
from streams.records.deviation import DeviationRecord
from streams.records.place import UNASSIGNED
from streams.records.stored_baseline import Pause, StoredBaseline
from streams.timeline.acts import ActKind

# What lies in an infant's log: its cries, and what staff asked of its baseline.
Entry = CryEmbedding | BaselineAct


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
            StateError: the stored model is of other rules, another ward or damaged.
        """
        stored = stored.having_applied(embedding.segment_id)
        if not embedding.place.assigned:
            return _unassigned(embedding), stored
        baseline = self._restore(embedding.place.infant, stored)
        deviation, stored = _hear(baseline, embedding, stored)
        return _record(embedding, deviation), replace(stored, model=baseline.to_bytes())

    def replay(self, history: Sequence[Entry], pause: Pause | None = None) -> StoredBaseline:
        """The row that an infant's log leads to, as if every roll-back in it had been known before.

        That is the row of a worker who was there all the time, and who had never learned what was
        rolled back. Cries of another embedder than the ward's are left out: they say nothing to it.

        Args:
            history: of one infant, in the order of the log.
            pause: one that began, maybe, before what is kept of the log.

        Returns:
            the row but for what was applied and reached: nothing new is.
        """
        log = list(_once(history))
        acts = [entry for entry in log if isinstance(entry, BaselineAct)]
        undone = {segment for act in acts for segment in act.segments}
        resets = [number for number, entry in enumerate(log) if _is_reset(entry)]
        begin = resets[-1] if resets else 0
        if pause is not None and any(act.id == pause.act for act in acts):
            pause = None
        stored, baseline = StoredBaseline(pause=pause), None
        for number, entry in enumerate(log):
            if isinstance(entry, BaselineAct):
                stored = replace(stored, pause=paused(stored.pause, entry))
            elif number < begin or not self._is_ours(entry):
                continue
            elif entry.segment_id in undone:
                stored = replace(stored, taken_out=stored.taken_out + 1)
            else:
                baseline = baseline or Baseline(entry.place.infant, self._ward)
                with contextlib.suppress(RefusedMessage):  # it went to the dead letters
                    _, stored = _hear(baseline, entry, stored)
        return replace(stored, model=baseline.to_bytes()) if baseline else stored

    def foreign(self, history: Sequence[Entry]) -> int:
        """How many cries of a log are left out for their embedder."""
        return sum(not self._is_ours(entry) for entry in history)

    def summary(self, infant: str, stored: StoredBaseline) -> Summary | None:
        """What there is to be said of a row; None of one that these rules cannot go on with."""
        try:
            return self._restore(infant, stored).summary()
        except StateError:
            return None

    def _is_ours(self, entry: Entry) -> bool:
        embedder = self._ward.embedder_version
        return not isinstance(entry, CryEmbedding) or embedder in (None, entry.embedder_version)

    def _restore(self, infant: str, stored: StoredBaseline) -> Baseline:
        if not stored.model:
            return Baseline(infant, self._ward)
        return Baseline.from_bytes(stored.model, self._ward)


def paused(pause: Pause | None, act: BaselineAct) -> Pause | None:
    """Whether learning is paused after an act; the first of two pauses stands."""
    if act.what == ActKind.LEARNING_RESUMED:
        return None
    if act.what == ActKind.LEARNING_PAUSED and pause is None:
        return Pause(act.id, act.at_ms, act.who, act.why)
    return pause


def entry_id(entry: Entry) -> str:
    """What a row remembers an entry by."""
    return entry.id if isinstance(entry, BaselineAct) else entry.segment_id


def _once(history: Iterable[Entry]) -> Iterator[Entry]:
    """A log without what was sent twice: as a row knows it, by the last ids."""
    known = StoredBaseline()
    for entry in history:
        if entry_id(entry) not in known.applied:
            known = known.having_applied(entry_id(entry))
            yield entry


def _is_reset(entry: Entry) -> bool:
    return isinstance(entry, BaselineAct) and entry.what == ActKind.BASELINE_RESET


def _hear(
    baseline: Baseline, embedding: CryEmbedding, stored: StoredBaseline
) -> tuple[Deviation, StoredBaseline]:
    """Let a baseline hear a cry; the row has all but the changed model."""
    observation = Observation(
        segment_id=embedding.segment_id,
        started_at_ms=embedding.started_at_ms,
        seconds=embedding.seconds,
        embedding=embedding.embedding,
        cry_score=embedding.cry_score,
        level_dbfs=embedding.level_dbfs,
        noise_dbfs=embedding.noise_dbfs,
        clipped_fraction=embedding.clipped_fraction,
        learning_paused=stored.pause is not None,
    )
    try:
        deviation = baseline.observe(observation)
    except ValueError as error:
        raise RefusedMessage(Refusal.NON_FINITE, f"{embedding.segment_id}: {error}") from None
    return deviation, stored.having_heard(
        deviation.reason.value,
        learned=deviation.learnt,
        begun=deviation.reason is Reason.RESTARTED,
    )


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
