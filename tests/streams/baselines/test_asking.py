"""What a command can know and ask for, on a broker where the test says what a worker would."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from streams.baselines import asking
from streams.baselines.asking import ask, read_row, read_rows, rows_after, waiting
from streams.baselines.history import read_histories
from streams.baselines.judging import entry_id
from streams.errors import BrokerError
from streams.kafka.reading import read_once
from streams.kafka.topics import ACTS, BASELINES_TABLE, CRY_EMBEDDINGS, changelog
from streams.records.baseline_act import BaselineAct
from streams.records.cry_embedding import CryEmbedding
from streams.records.place import Place
from streams.records.stored_baseline import StoredBaseline
from streams.settings import Settings
from tests.streams.conftest import PARTITIONS
from tests.streams.records.test_records import embedding

ACT = BaselineAct("act-1", "infant-1", "baseline_reset", 1_700_000_000_000, "nurse-4")


async def put(settings: Settings, topic: str, *records: tuple, partition: int | None = None):
    """Put keys, values and, if any, headers on a topic."""
    # In one batch, so that a reader gets all of them at once.
    async with AIOKafkaProducer(bootstrap_servers=settings.broker, linger_ms=50) as producer:
        for key, value, *headers in records:
            await producer.send(
                topic, value, key=key, partition=partition, headers=headers[0] if headers else []
            )
        await producer.flush()


async def answering(settings: Settings, *outcomes: tuple[str, str]) -> None:
    """Say what came of acts as soon as one is on the log."""
    partition = asking.partition_of(ACT.infant, PARTITIONS)
    while ACT.key not in await read_histories(settings, partition):
        await asyncio.sleep(0.05)
    told = [(ACT.key, ACT.told(outcome).to_json()) for _, outcome in outcomes]
    told = [
        (key, value.replace(b'"act-1"', f'"{name}"'.encode()))
        for (key, value), (name, _) in zip(told, outcomes, strict=True)
    ]
    await put(settings, ACTS.name(settings), (ACT.key, b"no json"), *told)


def test_an_act_is_answered_by_what_is_said_of_it_and_by_nothing_else(settings):
    heard = []

    async def play() -> dict:
        before = (ACT.key, ACT.told("said before it was asked").to_json())
        await put(settings, ACTS.name(settings), before)
        said = [("act-2", "another's"), ("act-1", "begins anew"), ("act-1", "said again")]
        worker = asyncio.create_task(answering(settings, *said))
        answers = await ask(settings, [ACT], 20, heard.append)
        await worker
        return answers

    answers = asyncio.run(play())
    assert {name: told.outcome for name, told in answers.items()} == {"act-1": "begins anew"}
    assert heard == list(answers.values())


def test_where_nobody_answers_the_act_is_on_the_log(settings):
    assert asyncio.run(ask(settings, [ACT], 0.2)) == {}
    partition = asking.partition_of(ACT.infant, PARTITIONS)
    assert asyncio.run(read_histories(settings, partition)) == {b"infant-1": [ACT]}


def test_a_row_is_as_its_worker_last_wrote_it(settings):
    table = changelog(settings, BASELINES_TABLE)
    rows = {name: StoredBaseline((name,)) for name in ("infant-1", "infant-2", "gone")}
    writes = [(name.encode(), row.encode()) for name, row in rows.items()]
    old = (b"infant-1", StoredBaseline(("old",)).encode())
    nobodys = (b"unassigned:mon-9", StoredBaseline().encode())
    asyncio.run(put(settings, table, old, *writes, nobodys, (b"gone", None)))
    assert asyncio.run(read_row(settings, "infant-1")) == rows["infant-1"]
    assert asyncio.run(read_row(settings, "gone")) is None
    assert asyncio.run(read_row(settings, "infant-3")) is None
    found = asyncio.run(read_rows(settings, range(PARTITIONS)))
    assert found == {name: rows[name] for name in ("infant-1", "infant-2")}


def test_whoever_was_answered_finds_the_row_that_follows(settings, monkeypatch):
    table, told = changelog(settings, BASELINES_TABLE), ACT.told("begins anew")

    async def write_later() -> None:
        await asyncio.sleep(0.5)
        await put(settings, table, (ACT.key, StoredBaseline(("act-1",)).encode()))

    async def play() -> dict:
        await put(settings, table, (ACT.key, StoredBaseline(("mon-1@0",)).encode()))
        worker = asyncio.create_task(write_later())
        rows = await rows_after(settings, [told])
        await worker
        return rows

    assert asyncio.run(play())["infant-1"].applied == ("act-1",)
    monkeypatch.setattr(asking, "ROW_SECONDS", 0.3)
    never = BaselineAct("never", "infant-1", "baseline_reset", 1, "x").told("killed in between")
    assert asyncio.run(rows_after(settings, [never]))["infant-1"].applied == ("act-1",)


def test_what_is_on_the_log_and_not_in_the_row_is_waiting(settings):
    topic, partition = CRY_EMBEDDINGS.name(settings), asking.partition_of("infant-07f3", PARTITIONS)
    act = BaselineAct("y", "infant-07f3", "learning_paused", 1_700_000_000_000, "nurse-4")
    cry = embedding()
    asyncio.run(put(settings, topic, cry.encode(), cry.encode(), act.encode(), partition=partition))

    def names(row: StoredBaseline) -> list[str]:
        return [entry_id(e) for e in asyncio.run(waiting(settings, "infant-07f3", row))]

    assert names(StoredBaseline()) == [cry.segment_id, cry.segment_id, "y"]
    assert names(StoredBaseline(reached=(0, 1))) == [cry.segment_id, "y"]
    assert names(StoredBaseline((cry.segment_id,), reached=(0, 1))) == ["y"]
    assert names(StoredBaseline(reached=(2, 1))) == []
    assert names(StoredBaseline(model=b"of before")) == []


def test_a_log_holds_an_infants_cries_and_acts_in_order_and_leaves_the_rest_out(settings):
    first, other = embedding(), embedding()
    topic, partition = CRY_EMBEDDINGS.name(settings), 1
    key, value, headers = first.encode()
    theirs = BaselineAct("x", "somebody", "baseline_reset", 1_700_000_000_000, "nurse-4")
    nobodys = CryEmbedding("s", Place("mon-9"), 1_700_000_000_000, 2.0, 0.9, -20, None, 0, "v",
                           other.embedding)  # fmt: skip
    act = BaselineAct("y", "infant-07f3", "learning_paused", 1_700_000_000_000, "nurse-4")
    records = [(key, value, headers), theirs.encode(), nobodys.encode(), (key, b"short", headers),
               act.encode(), other.encode(), first.encode()]  # fmt: skip
    asyncio.run(put(settings, topic, *records, partition=partition))
    every = asyncio.run(read_histories(settings, partition))
    assert {name: len(log) for name, log in every.items()} == {b"infant-07f3": 4, b"somebody": 1}
    (log,) = asyncio.run(read_histories(settings, partition, key)).values()
    assert [type(entry).__name__ for entry in log] == ["CryEmbedding", "BaselineAct",
                                                       "CryEmbedding", "CryEmbedding"]  # fmt: skip
    (before,) = asyncio.run(read_histories(settings, partition, key, until=5)).values()
    assert (len(before), before[-1]) == (2, act)
    assert asyncio.run(read_histories(settings, partition, key, until=0)) == {}


def test_reading_once_ends_at_the_present_end_and_says_how_far_it_is(settings):
    topic = CRY_EMBEDDINGS.name(settings)

    async def play() -> list:
        for partition in (0, 2):
            records = [(b"k", str(n).encode()) for n in range(3)]
            await put(settings, topic, *records, partition=partition)
        return [
            (r.partition, r.value, share) async for r, share in read_once(settings, topic, [0, 2])
        ]

    read = asyncio.run(play())
    assert sorted((partition, value) for partition, value, _ in read) == [
        (partition, str(n).encode()) for partition in (0, 2) for n in range(3)
    ]
    assert all(0 <= share < 1 for *_, share in read)


def test_a_broker_that_is_gone_is_one_sentence():
    nowhere = Settings(broker="127.0.0.1:1", partitions=PARTITIONS)
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1"):
        asyncio.run(read_row(nowhere, "infant-1"))
