"""Which segments the timeline holds already: the ends of the partitions of `deviations`.

A deviation and the change of the baseline that goes with it are two records. A worker that is
killed between them leaves a deviation that its successor, who starts from the baseline, would
say again. So a successor first reads what was said last.
"""

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.kafka.connection import connection
from streams.kafka.topics import DEVIATIONS
from streams.records.deviation import DeviationRecord
from streams.settings import Settings

# Only what was not yet committed can come again: a few commit intervals of one partition, at the
# speed of one core (about fifty cries a second).
LAST_DEVIATIONS = 500
WAIT_MS = 200


async def segments_said(settings: Settings, partition: int) -> set[str]:
    """Ids of the segments that the last deviations of a partition are about.

    Raises:
        KafkaError: the broker cannot be asked.
    """
    consumer = AIOKafkaConsumer(**connection(settings), group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        tp = TopicPartition(DEVIATIONS.name(settings), partition)
        consumer.assign([tp])
        begin = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        if begin >= end:
            return set()
        consumer.seek(tp, max(begin, end - LAST_DEVIATIONS))
        said = set()
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=WAIT_MS)).get(tp, []):
                said.add(DeviationRecord.from_json(record.value).segment_id)
        return said
    finally:
        await consumer.stop()
