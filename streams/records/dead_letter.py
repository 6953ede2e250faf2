"""`dead-letters`: what was refused and why, without the sound of it. Key: as it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from streams.errors import Refusal, RefusedMessage
from streams.records.cloudevent import MAX_HEADER_BYTES, Headers

# The rest of a message this long is of no use to whoever looks for the cause.
MAX_BYTES = 4096
# Dead letters outlive sound by far, so none must be in them. These tell a format, and a zero from a
# header; as sound they are 2 ms.
MAX_SOUND_BYTES = 64
# Of a message whose headers are what is wrong with it.
MAX_HEADERS = 32
# Before the names of a message's own headers, to tell them from the letter's.
ORIGINAL = "original."


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message.

    Attributes:
        refusal: the bounded reason.
        detail: one sentence for whoever looks for the cause.
        topic: where it was read.
        partition: where it was read.
        offset: where it was read.
        key: as it came, at most `MAX_HEADER_BYTES` of it.
        value: its beginning: at most `MAX_BYTES`, where sound lies `MAX_SOUND_BYTES`.
        headers: as they came, at most `MAX_HEADERS`, and `MAX_HEADER_BYTES` of each.
        size_bytes: of the whole value; None of a message without one.
        digest: SHA-256 of the whole value in hexadecimal, to know it again by.
    """

    refusal: Refusal
    detail: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    size_bytes: int | None = None
    digest: str = ""

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
        headers: Headers,
        sound: bool,
    ) -> "DeadLetter":
        """The letter for a message that was refused with `error`; `sound`: its topic carries it."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
        return cls(
            error.refusal,
            str(error),
            topic,
            partition,
            offset,
            _beginning(key, MAX_HEADER_BYTES),
            _beginning(value, MAX_SOUND_BYTES if sound else MAX_BYTES),
            tuple(
                (name[:MAX_HEADER_BYTES], bytes(text or b"")[:MAX_HEADER_BYTES])
                for name, text in islice(pairs, MAX_HEADERS)
            ),
            None if value is None else len(value),
            "" if value is None else sha256(value).hexdigest(),
        )

    def encode(self) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]:
        """Key, value and headers of the Kafka message."""
        texts = {
            "reason": self.refusal.value,
            "detail": self.detail,
            "topic": self.topic,
            "partition": str(self.partition),
            "offset": str(self.offset),
        }
        if self.size_bytes is not None:
            texts |= {"bytes": str(self.size_bytes), "sha256": self.digest}
        headers = [(name, text.encode()) for name, text in texts.items()]
        return self.key, self.value, headers + [(ORIGINAL + n, text) for n, text in self.headers]


def _beginning(content: bytes | None, length: int) -> bytes | None:
    return None if content is None else bytes(content[:length])
