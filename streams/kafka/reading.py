"""Reading a topic once, from what is kept of its beginning to its present end, in no group."""

from collections.abc import AsyncIterator, Collection

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.kafka.connection import connection
from streams.settings import Settings

WAIT_MS = 200


async def read_once(
    settings: Settings,
    topic: str,
    partitions: Collection[int],
    until: int | None = None,
    since: int = 0,
) -> AsyncIterator[tuple[ConsumerRecord, float]]:
    """Records as they lie in each partition, with the share that has been read, 0 to 1.

    Args:
        settings: where the broker is.
        topic: its full name.
        partitions: which of it, at least one.
        until: the offset before which to end, of one partition; otherwise the present end.
        since: the offset at which to begin, where so much is still kept.

    Raises:
        KafkaError: the broker cannot be asked.
    """
    consumer = AIOKafkaConsumer(
        **connection(settings),
        group_id=None,
        enable_auto_commit=False,
        # What is deleted while it is read lay at the beginning.
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        tps = [TopicPartition(topic, partition) for partition in partitions]
        consumer.assign(tps)
        kept = await consumer.beginning_offsets(tps)
        begins = {tp: max(since, kept[tp]) for tp in tps}
        ends = await consumer.end_offsets(tps)
        if until is not None:
            ends = dict.fromkeys(tps, until)
        tps = [tp for tp in tps if begins[tp] < ends[tp]]
        for tp in tps:
            consumer.seek(tp, begins[tp])
        total = sum(max(0, ends[tp] - begins[tp]) for tp in tps)
        while left := {tp: n for tp in tps if (n := ends[tp] - await consumer.position(tp)) > 0}:
            share = 1 - sum(left.values()) / total
            for tp, records in (await consumer.getmany(*left, timeout_ms=WAIT_MS)).items():
                for record in records:
                    if record.offset < ends[tp]:
                        yield record, share
    finally:
        await consumer.stop()
