"""Acts of staff on real brokers: each is carried out once, in order, whoever is killed."""

import asyncio
import itertools
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import streams
from models.deviation.ward import WardModel
from streams.baselines.asking import ask, read_row
from streams.baselines.history import read_histories
from streams.baselines.judging import Baselines
from streams.errors import TimelineError
from streams.kafka.partitioning import partition_of
from streams.kafka.topics import ACTS, CRY_EMBEDDINGS, DEVIATIONS
from streams.play import Publisher
from streams.records.baseline_act import BaselineAct
from streams.records.cry_embedding import CryEmbedding
from streams.records.deviation import DeviationRecord
from streams.records.place import Place
from streams.records.stored_baseline import StoredBaseline
from streams.timeline.acts import Act, ActKind
from streams.timeline.store import TimelineStore
from tests.streams.baselines.test_judging import usual
from tests.system.pipeline import PARTITIONS, Pipeline

pytestmark = pytest.mark.system

WAIT_SECONDS = 120
INFANT = "infant-07f3"
PLACE = Place("mon-1", INFANT, "nicu", "cot-1")


@pytest.fixture(scope="module")
def ward() -> WardModel:
    return WardModel.load()


@pytest.fixture
def pipeline(broker, tmp_path) -> Pipeline:
    return Pipeline(broker, tmp_path)


def send(pipeline: Pipeline, *entries: CryEmbedding | BaselineAct) -> None:
    """Put cries and acts on the log."""

    async def publish() -> None:
        async with Publisher(pipeline.settings) as publisher:
            for entry in entries:
                await publisher.send(CRY_EMBEDDINGS, *entry.encode())

    asyncio.run(publish())


def cries(ward: WardModel, *numbers: int) -> list[CryEmbedding]:
    return [
        usual(ward, number, place=PLACE, embedder_version=ward.embedder_version)
        for number in numbers
    ]


def act(what: ActKind, *segments: str) -> BaselineAct:
    return BaselineAct.now(what, INFANT, "nurse-4", "a test", segments)


def row(pipeline: Pipeline, infant: str = INFANT) -> StoredBaseline:
    return asyncio.run(read_row(pipeline.settings, infant)) or StoredBaseline()


def wait_for(condition: Callable[[], object], pipeline: Pipeline, worker) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert worker.poll() is None, f"the worker ended:\n{pipeline.logs()}"
        assert time.monotonic() < deadline, pipeline.logs()
        time.sleep(0.2)


def expected(pipeline: Pipeline, ward: WardModel) -> StoredBaseline:
    """The row that the log, as it lies on the broker, leads to."""
    entries = []
    for partition in range(pipeline.settings.partitions):
        found = asyncio.run(read_histories(pipeline.settings, partition, INFANT.encode()))
        entries += found.get(INFANT.encode(), [])
    return Baselines(ward).replay(entries)


def content(stored: StoredBaseline) -> StoredBaseline:
    return replace(stored, applied=(), reached=(-1, 0))


def told(pipeline: Pipeline) -> list[Act]:
    records = asyncio.run(pipeline._read(ACTS.name(pipeline.settings)))
    return [Act.from_json(record.value) for record in records]


def timeline(pipeline: Pipeline) -> dict[str, Act]:
    url = f"sqlite:///{pipeline.folder / 'state' / 'timeline.sqlite3'}"
    store = TimelineStore(url)
    try:
        return {act.what: act for act in store.acts(INFANT)}
    finally:
        store.close()


def test_while_a_log_is_gone_through_others_are_served_and_its_own_infant_waits(pipeline, ward):
    names = (f"infant-{number}" for number in itertools.count())
    here = partition_of(INFANT, PARTITIONS)
    other = Place("mon-2", next(n for n in names if partition_of(n, PARTITIONS) == here))
    rebuilt = act(ActKind.BASELINE_REBUILT)
    (others,) = cries(ward, 99)
    send(
        pipeline, *cries(ward, *range(30)), rebuilt, *cries(ward, 30, 31),
        replace(others, place=other, segment_id="mon-2@99"),
    )  # fmt: skip
    with pipeline.worker() as worker:
        wait_for(lambda: row(pipeline).heard == 32 and told(pipeline), pipeline, worker)
        wait_for(lambda: row(pipeline, other.infant).heard == 1, pipeline, worker)
    said = asyncio.run(pipeline._read(DEVIATIONS.name(pipeline.settings)))
    at = {DeviationRecord.from_json(one.value).segment_id: one.timestamp for one in said}
    (carried_out,) = asyncio.run(pipeline._read(ACTS.name(pipeline.settings)))
    assert at["mon-2@99"] < carried_out.timestamp <= at["mon-1@30"] <= at["mon-1@31"]
    assert content(row(pipeline)) == content(expected(pipeline, ward))


def test_staff_sees_pauses_undoes_and_resets_at_the_command_line(pipeline, ward):
    send(pipeline, *cries(ward, *range(10)))
    with pipeline.worker() as worker:
        wait_for(lambda: row(pipeline).heard == 10, pipeline, worker)
        shown = json.loads(pipeline.run("baseline", "show", INFANT, "--json").stdout)
        assert shown["baseline"]["accepted"] == 10
        assert shown["waiting"] == {"cries": 0, "acts": []}
        assert [cry["segment_id"] for cry in shown["learned"]] == [f"mon-1@{n}" for n in range(10)]

        frozen = pipeline.run("baseline", "freeze", INFANT, "--by", "nurse-4", "--because", "fever")
        assert (frozen.returncode, frozen.stdout) == (0, f"{INFANT}: learning is paused.\n")
        again = pipeline.run("baseline", "freeze", INFANT)
        assert (again.returncode, again.stderr) == (
            1, f"vagitus: {INFANT}: learning is paused already.\n",
        )  # fmt: skip
        send(pipeline, *cries(ward, 10))
        wait_for(lambda: row(pipeline).heard == 11, pipeline, worker)
        assert row(pipeline).decisions["paused"] == 1
        assert "paused since" in pipeline.run("baseline", "show", INFANT).stdout
        assert pipeline.run("baseline", "unfreeze", INFANT).returncode == 0

        undone = pipeline.run("baseline", "rollback", INFANT, "--last", "2", "--yes")
        assert undone.stdout == f"{INFANT}: 2 cries taken out; learned from 8.\n", undone.stderr
        assert [name for name, _ in row(pipeline).learned] == [f"mon-1@{n}" for n in range(8)]
        assert content(row(pipeline)) == content(expected(pipeline, ward))

        reset = pipeline.run("baseline", "reset", INFANT, "--yes", "--because", "begin again")
        assert reset.stdout == f"{INFANT}: begins anew; 11 cries let go.\n"
        send(pipeline, *cries(ward, 11))
        wait_for(lambda: row(pipeline).heard == 1, pipeline, worker)
        wait_for(lambda: len(timeline(pipeline)) == 4, pipeline, worker)
    kept = timeline(pipeline)
    assert kept["learning_paused"].who in ("nurse-4", "staff")
    assert kept["baseline_rolled_back"].outcome == "2 cries taken out; learned from 8"
    assert (kept["baseline_reset"].remark, kept["baseline_reset"].who) == ("begin again", "staff")
    assert content(row(pipeline)) == content(expected(pipeline, ward))


def test_a_worker_that_is_down_carries_acts_out_when_it_comes_back(pipeline, ward):
    send(pipeline, *cries(ward, *range(8)))
    with pipeline.worker() as first:
        wait_for(lambda: row(pipeline).heard == 8, pipeline, first)
        first.kill()
        first.wait()
    acts = [act(ActKind.BASELINE_ROLLED_BACK, "mon-1@7"), act(ActKind.LEARNING_PAUSED)]
    assert asyncio.run(ask(pipeline.settings, acts, patience_seconds=1)) == {}
    send(pipeline, *cries(ward, 8, 9))
    shown = json.loads(pipeline.run("baseline", "show", INFANT, "--json").stdout)
    assert (shown["heard"], shown["waiting"]["cries"]) == (8, 2)
    assert [act["id"] for act in shown["waiting"]["acts"]] == [act.id for act in acts]
    with pipeline.worker() as second:
        wait_for(lambda: row(pipeline).heard == 10, pipeline, second)
    after = row(pipeline)
    assert (after.taken_out, after.decisions["paused"]) == (1, 2)
    assert content(after) == content(expected(pipeline, ward))
    assert sorted(t.outcome for t in told(pipeline)) == [
        "1 cry taken out; learned from 7", "learning is paused",
    ]  # fmt: skip


def test_acts_and_cries_around_a_kill_are_each_applied_once(pipeline, ward):
    """SIGKILL in the middle of it, twice; then one who knows nothing of what was remembered."""
    log = []
    for number in range(0, 60, 5):
        log += cries(ward, *range(number, number + 5))
        log.append(act(ActKind.BASELINE_ROLLED_BACK, f"mon-1@{number + 4}"))
    log.insert(31, act(ActKind.BASELINE_RESET))
    deviations = sum(isinstance(entry, CryEmbedding) for entry in log)
    acts = len(log) - deviations
    send(pipeline, *log[:20])
    for share in (4, 11):
        with pipeline.worker() as worker:
            wait_for(lambda n=share: pipeline.count(DEVIATIONS) >= n, pipeline, worker)
            worker.kill()
            worker.wait()
    send(pipeline, *log[20:])
    with pipeline.worker() as worker:
        wait_for(lambda: row(pipeline).applied[-1:] == (log[-1].id,), pipeline, worker)
    after = row(pipeline)
    assert content(after) == content(expected(pipeline, ward))
    assert pipeline.count(DEVIATIONS) == deviations
    assert {told.id for told in told(pipeline)} == {e.id for e in log if isinstance(e, BaselineAct)}
    wait_until_on_the_timeline(pipeline, acts)

    # What was said is there, baselines and commits are not: as if killed between the two.
    pipeline.forget_worker()
    with pipeline.worker() as worker:
        wait_for(lambda: row(pipeline).applied[-1:] == (log[-1].id,), pipeline, worker)
    assert content(row(pipeline)) == content(after)
    assert pipeline.count(DEVIATIONS) == deviations
    outcomes: dict[str, set[str]] = {}
    for said in told(pipeline):
        outcomes.setdefault(said.id, set()).add(said.outcome)
    assert [said for said in outcomes.values() if len(said) > 1] == []
    wait_until_on_the_timeline(pipeline, acts)


def wait_until_on_the_timeline(pipeline: Pipeline, count: int) -> None:
    """Each act is one row, however often it was said."""
    url = f"sqlite:///{pipeline.folder / 'state' / 'timeline.sqlite3'}"
    with pipeline.worker() as worker:
        store = TimelineStore(url)
        wait_for(lambda: rows_of_acts(store) == count, pipeline, worker)
        store.close()


def rows_of_acts(store: TimelineStore) -> int:
    """How many acts are on the timeline, which its first row makes."""
    try:
        return len(list(store.acts(INFANT)))
    except TimelineError:
        return 0


@pytest.fixture
def newer_weights(ward, tmp_path) -> Path:
    """The shipped models with another ward: whatever was learned behind the shipped one is old."""
    folder = tmp_path / "weights"
    folder.mkdir()
    shipped = Path(streams.__file__).parents[1] / "models" / "weights"
    for path in (*shipped.glob("*.onnx"), *shipped.glob("*.safetensors")):
        shutil.copy(path, folder)
    arrays = (ward.mean, ward.middle, ward.transform, ward.between, 1.01 * ward.scores)
    WardModel(*arrays, embedder_version=ward.embedder_version).save(folder / "ward.safetensors")
    return folder


def test_baselines_of_another_ward_model_are_made_anew_and_nothing_is_said_again(
    pipeline, ward, newer_weights
):
    log = [*cries(ward, *range(4)), act(ActKind.BASELINE_RESET), *cries(ward, *range(4, 16))]
    others = Place("mon-2", "infant-12aa", "nicu", "cot-2")
    log += [replace(c, place=others, segment_id=f"o{c.segment_id}") for c in cries(ward, *range(9))]
    send(pipeline, *log)
    with pipeline.worker() as worker:
        wait_for(lambda: row(pipeline).heard == 12, pipeline, worker)
        wait_for(lambda: row(pipeline, "infant-12aa").heard == 9, pipeline, worker)
        assert "Nothing to do" in pipeline.run("rebuild").stdout

    pipeline.environment["VAGITUS_WEIGHTS_DIR"] = str(newer_weights)
    would = pipeline.run("rebuild", "--dry-run").stdout
    assert f"{INFANT}: made by other rules or models; 16 cries kept; would have learned" in would
    assert "infant-12aa: made by other rules" in would
    newer = WardModel.load(newer_weights / "ward.safetensors")
    with pipeline.worker() as worker:
        done = pipeline.run("rebuild", "--infant", INFANT, "--because", "a newer ward")
        assert done.returncode == 0, done.stderr
        assert f"{INFANT}: made anew from 12 cries; learned from" in done.stdout
        assert content(row(pipeline)) == content(expected(pipeline, newer))
        # The other's worker does it by itself at its next cry.
        more = replace(cries(ward, 30)[0], place=others, segment_id="more")
        send(pipeline, more)
        wait_for(lambda: row(pipeline, "infant-12aa").heard == 10, pipeline, worker)
        assert "Nothing to do" in pipeline.run("rebuild").stdout
    assert [(t.who, t.what, t.outcome) for t in told(pipeline) if t.infant == "infant-12aa"] == [
        ("worker", "baseline_rebuilt", "made anew from 9 cries")
    ]
    after = Baselines(newer).summary("infant-12aa", row(pipeline, "infant-12aa"))
    assert after.accepted >= 9
    assert pipeline.count(DEVIATIONS) == 26
    last = max(pipeline.published().deviations, key=lambda d: d.started_at_ms)
    assert (last.segment_id, last.baseline_version.endswith(newer.version)) == ("more", True)
