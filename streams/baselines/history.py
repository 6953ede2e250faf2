"""Infants' logs, as far as they are kept: what lies in the partitions of `cry-embeddings`."""

from collections.abc import Callable

from streams.baselines.judging import Entry
from streams.errors import RefusedMessage
from streams.kafka.reading import read_once
from streams.kafka.topics import CRY_EMBEDDINGS
from streams.records.baseline_act import BaselineAct, is_act
from streams.records.cry_embedding import CryEmbedding
from streams.records.place import UNASSIGNED
from streams.settings import Settings

_NOBODYS = f"{UNASSIGNED}:".encode()


async def read_histories(
    settings: Settings,
    partition: int,
    key: bytes | None = None,
    until: int | None = None,
    on_read: Callable[[float], None] = lambda share: None,
    since: int = 0,
) -> dict[bytes, list[Entry]]:
    """The entries of a partition by infant's key, each infant's in the order of the log.

    What cannot be read lies among the dead letters and is passed over here.

    Args:
        settings: where the broker is.
        partition: of `cry-embeddings`.
        key: of one infant; otherwise of all.
        until: the offset before which to end; otherwise the present end.
        since: the offset at which to begin.
        on_read: called with the share of the partition that was read, 0 to 1.

    Raises:
        KafkaError: the broker cannot be asked.
    """
    histories: dict[bytes, list[Entry]] = {}
    topic = CRY_EMBEDDINGS.name(settings)
    async for record, share in read_once(settings, topic, [partition], until, since):
        on_read(share)
        wanted = record.key == key if key else not (record.key or b"").startswith(_NOBODYS)
        if not wanted:
            continue
        decode = BaselineAct.decode if is_act(record.headers) else CryEmbedding.decode
        try:
            entry = decode(record.key, record.value, record.headers)
        except RefusedMessage:
            continue
        histories.setdefault(record.key, []).append(entry)
    return histories
