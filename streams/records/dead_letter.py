"""`dead-letters`: what was refused, as it came, with the reason. Key: as it came."""

from dataclasses import dataclass

from streams.errors import Refusal, RefusedMessage

# The rest of a message this long is of no use to whoever looks for the cause.
MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message.

    Attributes:
        refusal: the bounded reason.
        detail: one sentence for whoever looks for the cause.
        topic: where it was read.
        partition: where it was read.
        offset: where it was read.
        key: as it came.
        value: as it came, at most `MAX_BYTES` of it.
    """

    refusal: Refusal
    detail: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @classmethod
    def of(
        cls,
        error: RefusedMessage,
        *,
        topic: str,
        partition: int,
        offset: int,
        key: bytes | None,
        value: bytes | None,
    ) -> "DeadLetter":
        """The letter for a message that was refused with `error`."""
        short = None if value is None else bytes(value[:MAX_BYTES])
        return cls(error.refusal, str(error), topic, partition, offset, key, short)

    def encode(self) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]:
        """Key, value and headers of the Kafka message."""
        headers = {
            "reason": self.refusal.value,
            "detail": self.detail,
            "topic": self.topic,
            "partition": str(self.partition),
            "offset": str(self.offset),
        }
        return self.key, self.value, [(name, text.encode()) for name, text in headers.items()]
