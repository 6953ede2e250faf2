"""What acts of staff do to a baseline: it is then what it would be, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest

from models.deviation.ward import WardModel
from streams.baselines.acting import REFUSED, apply_act, made_anew, needs_history
from streams.baselines.judging import Baselines, entry_id
from streams.records.baseline_act import BaselineAct
from streams.records.stored_baseline import StoredBaseline
from streams.timeline.acts import ActKind
from tests.streams.baselines.test_judging import usual

RESET, PAUSE, RESUME = (
    ActKind.BASELINE_RESET, ActKind.LEARNING_PAUSED, ActKind.LEARNING_RESUMED,
)  # fmt: skip
ROLL_BACK, REBUILD = ActKind.BASELINE_ROLLED_BACK, ActKind.BASELINE_REBUILT


@pytest.fixture(scope="module")
def ward() -> WardModel:
    return WardModel.load()


@pytest.fixture(scope="module")
def baselines(ward) -> Baselines:
    return Baselines(ward)


def act(what: ActKind, name: str = "", segments: tuple[str, ...] = ()) -> BaselineAct:
    return BaselineAct(name or f"act-{what}", "infant-1", what, 9, "nurse-4", "why", segments)


def cries(ward, *numbers: int, **changes: object) -> list:
    """Cries as the log gives them back: rounded, by this ward's embedder."""
    made = (usual(ward, n, embedder_version=ward.embedder_version, **changes) for n in numbers)
    return [type(cry).decode(*cry.encode()) for cry in made]


def live(baselines, log, stored=None) -> StoredBaseline:
    """The row of a worker who takes the log entry by entry."""
    stored = stored or StoredBaseline()
    for number, entry in enumerate(log):
        if isinstance(entry, BaselineAct):
            outcome = apply_act(baselines, entry, stored, log[:number])
            assert outcome.applied, outcome.said
            stored = outcome.stored
        else:
            _, stored = baselines.observe(entry, stored)
        stored = StoredBaseline.decode(stored.encode())
    return stored


def content(row: StoredBaseline) -> StoredBaseline:
    """All but the names of what was applied and the count of what was taken out."""
    return replace(row, applied=(), taken_out=0)


def test_a_reset_begins_again_and_says_what_was_let_go(ward, baselines):
    log = cries(ward, *range(5))
    before = live(baselines, log)
    outcome = apply_act(baselines, act(RESET), before)
    assert outcome.applied
    assert outcome.said == "begins anew; 5 cries let go"
    assert outcome.stored == StoredBaseline(applied=(*before.applied, "act-baseline_reset"))
    after = live(baselines, [*log, act(RESET), *cries(ward, 7, 8)])
    assert content(after) == content(live(baselines, cries(ward, 7, 8)))


def test_while_learning_is_paused_cries_are_scored_and_nothing_is_learned(ward, baselines):
    before = live(baselines, cries(ward, *range(8)))
    paused = apply_act(baselines, act(PAUSE), before)
    assert (paused.said, paused.stored.model) == ("learning is paused", before.model)
    record, after = baselines.observe(cries(ward, 8)[0], paused.stored)
    assert (record.gate, record.reason, record.sigma is None) == ("refused", "paused", False)
    assert (after.model, after.learned) == (before.model, before.learned)
    resumed = apply_act(baselines, act(RESUME), after)
    assert (resumed.said, resumed.stored.pause) == ("learning goes on", None)
    record, _ = baselines.observe(cries(ward, 9)[0], resumed.stored)
    assert record.gate == "accepted"


def test_a_pause_of_what_is_paused_is_refused_and_the_first_one_stands(ward, baselines):
    first = apply_act(baselines, act(PAUSE, "first"), StoredBaseline())
    again = apply_act(baselines, act(PAUSE, "second"), first.stored)
    assert (again.applied, again.said) == (False, f"{REFUSED}learning is paused already")
    assert again.stored.pause.act == "first"
    assert content(baselines.replay([act(PAUSE, "first"), act(PAUSE, "second")])) == (
        StoredBaseline(pause=first.stored.pause)
    )
    never = apply_act(baselines, act(RESUME), StoredBaseline())
    assert (never.applied, never.said) == (False, f"{REFUSED}learning is not paused")


def test_a_reset_does_not_end_a_pause(ward, baselines):
    stored = live(baselines, [*cries(ward, 0), act(PAUSE), act(RESET)])
    assert stored.pause.act == "act-learning_paused"


@pytest.mark.parametrize("last", [1, 3, 30])
def test_after_a_roll_back_it_is_as_if_the_cries_had_never_been_learned(ward, baselines, last):
    log = cries(ward, *range(40))
    names = [name for name, _ in live(baselines, log).learned][-last:]
    undone = live(baselines, [*log, act(ROLL_BACK, segments=tuple(names))])
    never = live(baselines, [cry for cry in log if cry.segment_id not in names])
    assert content(undone) == content(never)
    assert (undone.taken_out, undone.heard) == (last, 40)
    assert undone.applied[-1] == "act-baseline_rolled_back"


def test_roll_backs_pauses_and_resets_follow_one_another_as_they_lie(ward, baselines):
    log = [
        *cries(ward, 0, 1), act(RESET, "r"), *cries(ward, *range(2, 12)), act(PAUSE, "p"),
        *cries(ward, 12, 13), act(ROLL_BACK, "b1", ("mon-1@11",)), act(RESUME, "q"),
        *cries(ward, 14, 15), act(ROLL_BACK, "b2", ("mon-1@15", "mon-1@10")), *cries(ward, 16),
    ]  # fmt: skip
    expected = [
        *cries(ward, *range(2, 10)), act(PAUSE, "p"), *cries(ward, 12, 13), act(RESUME, "q"),
        *cries(ward, 14, 16),
    ]  # fmt: skip
    stored = live(baselines, log)
    assert content(stored) == content(live(baselines, expected))
    assert content(baselines.replay(log)) == content(stored)


def test_what_is_not_in_it_any_more_cannot_be_rolled_back(ward, baselines):
    log = cries(ward, *range(4))
    undo = act(ROLL_BACK, "first", ("mon-1@3",))
    once = live(baselines, [*log, undo])
    twice = apply_act(baselines, replace(undo, id="second"), once, [*log, undo])
    assert (twice.applied, twice.stored.model) == (False, once.model)
    assert twice.said == f"{REFUSED}none of these cries is in the baseline any more"
    both = replace(undo, id="third", segments=("mon-1@3", "mon-1@2"))
    partly = apply_act(baselines, both, once, [*log, undo])
    assert (partly.applied, partly.said) == (True, "1 cry taken out; learned from 2")


def test_where_its_first_cries_are_no_longer_kept_a_roll_back_says_so(ward, baselines):
    log = cries(ward, *range(10))
    before = live(baselines, log)
    outcome = apply_act(baselines, act(ROLL_BACK, segments=("mon-1@9",)), before, log[4:])
    assert (outcome.applied, outcome.stored.model) == (False, before.model)
    assert outcome.said.startswith(
        f"{REFUSED}only 6 of the 10 cries it heard are still kept, so what it would be"
    )


def test_a_rebuild_comes_to_what_the_worker_had(ward, baselines):
    log = [*cries(ward, *range(12)), act(ROLL_BACK, "b", ("mon-1@3",)), act(PAUSE, "p")]
    before = live(baselines, log)
    outcome = apply_act(baselines, act(REBUILD), before, log)
    assert outcome.said == "made anew from 12 cries; learned from 11"
    assert outcome.stored == before.having_applied("act-baseline_rebuilt")


def test_a_rebuild_makes_a_lost_or_outdated_row_again(ward, baselines):
    log = cries(ward, *range(9))
    expected = live(baselines, log)
    for lost in (StoredBaseline(), replace(expected, model=b"of other rules")):
        outcome = apply_act(baselines, act(REBUILD), lost, log)
        assert content(outcome.stored) == content(expected)


def test_a_pause_from_before_what_is_kept_outlives_a_rebuild(ward, baselines):
    log = cries(ward, *range(9))
    paused = live(baselines, [act(PAUSE), *log])
    kept = apply_act(baselines, act(REBUILD), paused, log).stored
    assert kept.pause == paused.pause
    assert kept.decisions == {"paused": 9}


def test_a_rebuild_does_not_forget_what_is_no_longer_kept(ward, baselines):
    log = cries(ward, *range(10))
    before = live(baselines, log)
    outcome = apply_act(baselines, act(REBUILD), before, log[4:])
    assert (outcome.applied, outcome.stored.model) == (False, before.model)
    assert "only 6 of the 10 cries it heard are still kept" in outcome.said
    outdated = replace(before, model=b"of other rules")
    from_the_rest = apply_act(baselines, act(REBUILD), outdated, log[4:])
    assert from_the_rest.said == (
        "made anew from 6 cries (only 6 of the 10 cries it heard are still kept); learned from 6"
    )
    assert content(from_the_rest.stored) == content(live(baselines, log[4:]))


def test_what_a_worker_made_anew_by_itself_is_said_under_the_id_of_the_cry(ward, baselines):
    log = cries(ward, *range(4))
    told = made_anew(log[3], live(baselines, log[:3]), live(baselines, log[1:3]), "other rules")
    assert (told.id, told.infant, told.at_ms) == (
        "mon-1@3#made-anew", "infant-1", log[3].started_at_ms,
    )  # fmt: skip
    assert (told.who, told.what, told.remark, told.outcome) == (
        "worker", "baseline_rebuilt", "other rules",
        "made anew from 2 cries (only 2 of the 3 cries it heard are still kept)",
    )  # fmt: skip


def test_cries_of_another_embedder_are_left_out_of_a_rebuild(ward, baselines):
    foreign = [replace(cry, embedder_version="identity-0") for cry in cries(ward, 0, 1)]
    own = cries(ward, *range(2, 9))
    outdated = StoredBaseline(model=b"of another ward")
    outcome = apply_act(baselines, act(REBUILD), outdated, foreign + own)
    assert outcome.said == (
        "made anew from 7 cries (2 of another embedder left out); learned from 7"
    )
    assert content(outcome.stored) == content(live(baselines, own))
    nothing = apply_act(baselines, act(REBUILD), outdated, foreign)
    assert (nothing.applied, nothing.stored.model) == (False, outdated.model)
    assert "there is no cry to make it from" in nothing.said


def test_a_repeated_cry_and_one_that_was_refused_are_replayed_as_they_were_taken(ward, baselines):
    log = cries(ward, *range(8))
    broken = replace(log[5], segment_id="broken", embedding=np.full(192, np.nan, np.float32))
    again = baselines.replay([*log[:6], log[4], broken, *log[6:]])
    assert content(again) == content(live(baselines, log))


def test_a_cry_of_before_a_reset_that_comes_again_after_it_is_not_heard(ward, baselines):
    log = [*cries(ward, *range(4)), act(RESET), *cries(ward, 4, 5)]
    again = baselines.replay([*log[:5], log[3], *log[5:]])
    assert content(again) == content(live(baselines, log))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_staff_does_a_rebuild_comes_to_the_workers_row(ward, baselines, seed):
    rng = np.random.default_rng(seed)
    log, stored = [], StoredBaseline()
    for number in range(80):
        chance = rng.random()
        if chance < 0.7 or not log:
            unfit = {"clipped_fraction": 0.5} if rng.random() < 0.2 else {}
            log += cries(ward, number, **unfit)
            if rng.random() < 0.2:  # another infant's, or so it seems
                log[-1] = replace(log[-1], embedding=-log[-1].embedding)
        elif chance < 0.8:
            log.append(log[-int(rng.integers(1, 1 + min(9, len(log))))])  # sent twice
        elif chance < 0.9:
            log.append(act([PAUSE, RESUME, RESUME, RESET][rng.integers(4)], f"act-{number}"))
        elif names := [name for name, _ in stored.learned][-int(rng.integers(1, 6)) :]:
            log.append(act(ROLL_BACK, f"act-{number}", tuple(names)))
        stored = taken(baselines, log, stored)
        assert replace(baselines.replay(log), applied=()) == replace(stored, applied=())
    assert stored.heard


def taken(baselines, log: list, stored: StoredBaseline) -> StoredBaseline:
    """The row after the last entry of a log, as the agent takes it."""
    *before, entry = log
    if entry_id(entry) in stored.applied:
        return stored
    if isinstance(entry, BaselineAct):
        return apply_act(baselines, entry, stored, before).stored
    return baselines.observe(entry, stored)[1]


def test_only_what_goes_through_the_log_again_asks_for_it():
    asking = {what for what in (RESET, PAUSE, RESUME, REBUILD) if needs_history(act(what))}
    assert asking == {REBUILD}
    assert needs_history(act(ROLL_BACK, segments=("a",)))


def test_a_row_stays_small(ward, baselines):
    log = cries(ward, *range(150))
    long = [replace(cry, segment_id=f"{'m' * 128}@{cry.segment_id}") for cry in log]
    assert max(len(live(baselines, long[:n]).encode()) for n in (23, 150)) < 50_000
