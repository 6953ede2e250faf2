"""From outside of any worker: what is known of baselines, and asking for an act."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.baselines.history import read_histories
from streams.baselines.judging import Entry, entry_id
from streams.errors import BrokerError, RefusedMessage
from streams.kafka.connection import connection, refusal
from streams.kafka.partitioning import partition_of
from streams.kafka.reading import read_once
from streams.kafka.topics import (
    ACTS,
    ADMISSIONS,
    BASELINES_TABLE,
    CRY_EMBEDDINGS,
    changelog,
    no_topic,
    partition_counts,
)
from streams.play import Publisher
from streams.records.baseline_act import BaselineAct
from streams.records.place import UNASSIGNED
from streams.records.stored_baseline import StoredBaseline
from streams.settings import Settings
from streams.timeline.acts import Act

POLL_MS = 200
ROW_SECONDS = 5.0
_NOBODYS = f"{UNASSIGNED}:".encode()


async def require_topics(settings: Settings) -> None:
    """Check that the topics are there and as many as is set; raises BrokerError."""
    found = await partition_counts(settings)
    names = [topic.name(settings) for topic in (CRY_EMBEDDINGS, ACTS, ADMISSIONS)]
    for name in (*names, changelog(settings, BASELINES_TABLE)):
        if name not in found:
            raise no_topic(settings, name)
        if found[name] != settings.partitions:
            raise BrokerError(
                f"Topic {name} has {found[name]} partitions, not {settings.partitions}: "
                "set VAGITUS_PARTITIONS to what the broker has."
            )


async def read_row(settings: Settings, infant: str) -> StoredBaseline | None:
    """An infant's row as its worker last wrote it; None without one. Raises BrokerError."""
    partition = partition_of(infant, settings.partitions)
    rows = await read_rows(settings, [partition], infant.encode())
    return rows.get(infant)


async def waiting(settings: Settings, infant: str, stored: StoredBaseline) -> list[Entry]:
    """Cries and acts on the log that are not in the infant's row yet; raises BrokerError."""
    if stored.model and stored.reached[0] < 0:
        return []  # a row of before it was known how far it reaches
    partition, key = partition_of(infant, settings.partitions), infant.encode()
    with broker_errors(settings):
        found = await read_histories(settings, partition, key, since=stored.reached[0] + 1)
    return [entry for entry in found.get(key, []) if entry_id(entry) not in stored.applied]


async def read_rows(
    settings: Settings, partitions: Sequence[int], key: bytes | None = None
) -> dict[str, StoredBaseline]:
    """Rows by infant, of one key or of all; raises BrokerError."""
    values: dict[bytes, bytes | None] = {}
    if not partitions:
        return {}
    with broker_errors(settings):
        name = changelog(settings, BASELINES_TABLE)
        async for record, _ in read_once(settings, name, partitions):
            if record.key is not None and (record.key == key if key else True):
                values[record.key] = record.value
    return {
        name.decode(): StoredBaseline.decode(value)
        for name, value in values.items()
        if value is not None and not name.startswith(_NOBODYS)
    }


async def ask(
    settings: Settings,
    acts: Sequence[BaselineAct],
    patience_seconds: float,
    on_answer: Callable[[Act], None] = lambda act: None,
) -> dict[str, Act]:
    """Put acts on the log, and wait for what their workers say of them.

    An act that is on the log stands, also where nobody answers: a worker that comes back carries
    it out then.

    Args:
        settings: where the broker is.
        acts: what to ask for.
        patience_seconds: how long to wait for one more answer.
        on_answer: called with each answer.

    Returns:
        the answers by act id; without those that did not come in time.

    Raises:
        BrokerError: the broker did not take the acts.
    """
    answers: dict[str, Act] = {}
    wanted = {act.id for act in acts}
    with broker_errors(settings):
        async with _listening(settings) as consumer:
            async with Publisher(settings) as publisher:
                sent = [await publisher.send(CRY_EMBEDDINGS, *act.encode()) for act in acts]
                await asyncio.gather(*sent)
            deadline = time.monotonic() + patience_seconds
            while wanted - answers.keys() and time.monotonic() < deadline:
                for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                    for record in records:
                        with contextlib.suppress(RefusedMessage):
                            told = Act.from_json(record.value)
                            if told.id in wanted and told.id not in answers:
                                answers[told.id] = told
                                deadline = time.monotonic() + patience_seconds
                                on_answer(told)
    return answers


async def rows_after(settings: Settings, answers: Collection[Act]) -> dict[str, StoredBaseline]:
    """The rows of infants as they are once acts that were answered are in them.

    What comes of an act is said a moment before its row is written. A worker that is killed in
    that moment leaves it to its successor, for whom nobody waits here. Raises BrokerError.
    """
    partitions = sorted({partition_of(told.infant, settings.partitions) for told in answers})
    nothing, deadline = StoredBaseline(), time.monotonic() + ROW_SECONDS
    while True:
        rows = await read_rows(settings, partitions)
        missing = [t for t in answers if t.id not in rows.get(t.infant, nothing).applied]
        if not missing or time.monotonic() > deadline:
            return rows
        await asyncio.sleep(POLL_MS / 1000)


@contextlib.asynccontextmanager
async def _listening(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of what is said of acts from now on."""
    consumer = AIOKafkaConsumer(**connection(settings), group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        name = ACTS.name(settings)
        partitions = [TopicPartition(name, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        for tp, end in (await consumer.end_offsets(partitions)).items():
            consumer.seek(tp, end)
        yield consumer
    finally:
        await consumer.stop()


@contextlib.contextmanager
def broker_errors(settings: Settings) -> Iterator[None]:
    """Say in one sentence what goes wrong with the broker; raises BrokerError."""
    try:
        yield
    except (KafkaError, OSError) as error:
        why = refusal(settings, error)
        raise BrokerError(f"The broker at {settings.broker} does not do it: {why}.") from None
