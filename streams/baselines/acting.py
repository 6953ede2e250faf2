"""What an act of staff does to an infant's baseline: what the deviate agent does with it, without
a broker."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from streams.baselines.judging import Baselines, Entry, paused
from streams.records.baseline_act import BaselineAct
from streams.records.cry_embedding import CryEmbedding
from streams.records.stored_baseline import StoredBaseline
from streams.timeline.acts import Act, ActKind

REFUSED = "refused: "
_FROM_THE_LOG = {ActKind.BASELINE_ROLLED_BACK, ActKind.BASELINE_REBUILT}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act.

    Attributes:
        stored: the row to keep; as it was where the act was refused.
        applied: whether it was carried out.
        said: in one sentence.
    """

    stored: StoredBaseline
    applied: bool
    said: str


def needs_history(act: BaselineAct) -> bool:
    """Whether an act is carried out by going through the infant's log again."""
    return act.what in _FROM_THE_LOG


def apply_act(
    baselines: Baselines, act: BaselineAct, stored: StoredBaseline, history: Sequence[Entry] = ()
) -> Outcome:
    """Carry an act out; the same act on the same row comes to the same.

    Args:
        baselines: knows the rules and the ward.
        act: what to do.
        stored: the infant's row.
        history: the infant's log before the act, where `needs_history`.
    """
    before = stored.having_applied(act.id)
    match act.what:
        case ActKind.BASELINE_RESET:
            said = f"begins anew; {_cries(before.heard)} let go"
            return Outcome(before.begun_anew(), True, said)
        case ActKind.LEARNING_PAUSED | ActKind.LEARNING_RESUMED:
            return _pause(act, before)
        case ActKind.BASELINE_ROLLED_BACK:
            return _roll_back(baselines, act, before, history)
        case _:
            return _rebuild(baselines, act, before, history)


def _pause(act: BaselineAct, before: StoredBaseline) -> Outcome:
    pausing = act.what == ActKind.LEARNING_PAUSED
    if pausing == (before.pause is not None):
        already = "is paused already" if pausing else "is not paused"
        return _refuse(before, f"learning {already}")
    said = "learning is paused" if pausing else "learning goes on"
    return Outcome(replace(before, pause=paused(before.pause, act)), True, said)


def _roll_back(
    baselines: Baselines, act: BaselineAct, before: StoredBaseline, history: Sequence[Entry]
) -> Outcome:
    after = baselines.replay([*history, act], before.pause)
    if lost := _lost(before, after):
        return _refuse(before, f"{lost}, so what it would be without these cannot be told")
    taken_out = after.taken_out - before.taken_out
    if taken_out <= 0:
        return _refuse(before, "none of these cries is in the baseline any more")
    said = f"{_cries(taken_out)} taken out; {_learned(baselines, act, after)}"
    return Outcome(instead(before, after), True, said)


def _rebuild(
    baselines: Baselines, act: BaselineAct, before: StoredBaseline, history: Sequence[Entry]
) -> Outcome:
    after, foreign = baselines.replay(history, before.pause), baselines.foreign(history)
    left_out = f" ({foreign} of another embedder left out)" if foreign else ""
    if not after.heard:
        return _refuse(before, f"there is no cry to make it from{left_out}")
    lost = _lost(before, after)
    if lost and baselines.summary(act.infant, before):
        return _refuse(before, f"{lost}, and the baseline as it is knows all of them")
    said = f"{_made_anew(before, after)}{left_out}; {_learned(baselines, act, after)}"
    return Outcome(instead(before, after), True, said)


def made_anew(
    embedding: CryEmbedding, before: StoredBaseline, after: StoredBaseline, why: str
) -> Act:
    """The act of a worker that met a row of other rules, and went through the log again."""
    return Act(
        id=f"{embedding.segment_id}#made-anew",
        infant=embedding.place.infant,
        ward="",
        bed="",
        at_ms=embedding.started_at_ms,
        until_ms=None,
        who="worker",
        what=ActKind.BASELINE_REBUILT.value,
        remark=why,
        outcome=_made_anew(before, after),
    )


def _made_anew(before: StoredBaseline, after: StoredBaseline) -> str:
    lost = _lost(before, after)
    return f"made anew from {_cries(after.heard)}" + (f" ({lost})" if lost else "")


def instead(before: StoredBaseline, after: StoredBaseline) -> StoredBaseline:
    """A row that was made anew in the place of another."""
    return replace(after, applied=before.applied, reached=before.reached)


def _learned(baselines: Baselines, act: BaselineAct, after: StoredBaseline) -> str:
    summary = baselines.summary(act.infant, after)
    return f"learned from {summary.accepted if summary else 0}"


def _lost(before: StoredBaseline, after: StoredBaseline) -> str:
    """What is wrong where the log no longer holds all the cries of a row; else nothing."""
    if after.heard >= before.heard:
        return ""
    return f"only {after.heard} of the {_cries(before.heard)} it heard are still kept"


def _cries(count: int) -> str:
    return f"{count} cry" if count == 1 else f"{count} cries"


def _refuse(before: StoredBaseline, why: str) -> Outcome:
    return Outcome(before, False, REFUSED + why)
