"""Which partition a key's records lie in: one map for all topics, for all have as many."""

from functools import lru_cache

from aiokafka.partitioner import DefaultPartitioner

_partition = DefaultPartitioner()


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """Where the records of an infant or a monitor lie: as every producer of ours decides it."""
    every = list(range(partitions))
    return _partition(key.encode(), every, every)
