"""Chunks travel through Faust many at once."""

from dataclasses import dataclass

from faust.types import TP

from streams.kafka.batch import ChunkBatch, cut

ONE, TWO = TP("chunks", 1), TP("chunks", 2)


@dataclass(frozen=True)
class Record:
    partition: int
    offset: int
    topic: str = "chunks"
    timestamp: int = 1_700_000_000_000
    timestamp_type: int = 0


def records(tp: TP, *offsets: int) -> list[Record]:
    return [Record(tp.partition, offset) for offset in offsets]


def offsets(piece) -> dict[TP, list[int]]:
    return {tp: [record.offset for record in part] for tp, part in piece.items()}


def test_pieces_are_as_large_as_they_may_be_and_keep_the_order_of_each_partition():
    pieces = cut({ONE: records(ONE, 5, 6, 7), TWO: records(TWO, 1, 2)}, size=2)
    assert [offsets(piece) for piece in pieces] == [
        {ONE: [5, 6]},
        {ONE: [7], TWO: [1]},
        {TWO: [2]},
    ]


def test_partitions_without_records_make_no_piece():
    assert list(cut({ONE: [], TWO: []}, size=2)) == []
    assert [offsets(piece) for piece in cut({ONE: [], TWO: records(TWO, 1)}, 2)] == [{TWO: [1]}]


def test_to_faust_a_batch_is_its_first_record():
    batch = ChunkBatch({TWO: records(TWO, 8, 9), ONE: records(ONE, 3)}, generation_id=4)
    assert (batch.tp, batch.topic, batch.partition, batch.offset) == (TWO, "chunks", 2, 8)
    assert batch.generation_id == 4
    assert [(r.partition, r.offset) for r in batch.records()] == [(2, 8), (2, 9), (1, 3)]
