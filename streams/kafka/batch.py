"""Many chunks as one message of Faust: what it does for each message, it does once for all."""

from collections.abc import Iterator, Mapping, Sequence

from aiokafka import ConsumerRecord
from faust.types import TP
from faust.types.tuples import ConsumerMessage


class ChunkBatch(ConsumerMessage):
    """Records of `audio-chunks`, in the order of their offsets within each partition.

    To Faust it is the first of them; an acknowledgement counts for all that are in it then.

    Attributes:
        parts: the records of each partition, none of them without any.
    """

    __slots__ = ("parts",)

    def __init__(self, parts: Mapping[TP, Sequence[ConsumerRecord]], generation_id: int) -> None:
        tp, records = next(iter(parts.items()))
        first = records[0]
        super().__init__(
            first.topic,
            first.partition,
            first.offset,
            timestamp=first.timestamp / 1000,
            timestamp_type=first.timestamp_type,
            headers=None,
            key=None,
            value=b"",
            checksum=None,
            tp=tp,
            generation_id=generation_id,
        )
        self.parts = dict(parts)

    def records(self) -> list[ConsumerRecord]:
        """All of them, partition by partition."""
        return [record for records in self.parts.values() for record in records]


def cut(
    records: Mapping[TP, Sequence[ConsumerRecord]], size: int
) -> Iterator[dict[TP, Sequence[ConsumerRecord]]]:
    """Records in pieces of at most `size`, each partition's in their order."""
    piece: dict[TP, Sequence[ConsumerRecord]] = {}
    room = size
    for tp, left in records.items():
        while left:
            piece[tp], left = left[:room], left[room:]
            room -= len(piece[tp])
            if not room:
                yield piece
                piece, room = {}, size
    if piece:
        yield piece
