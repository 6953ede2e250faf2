"""JSON records: a frozen dataclass to bytes and back, strictly."""

import dataclasses
import json
import math
from typing import Any, Self

from streams.errors import Refusal, RefusedMessage


class JsonRecord:
    """Base of dataclass records whose value is JSON."""

    __slots__ = ()

    def to_json(self) -> bytes:
        """The record as compact JSON; raises ValueError for a number that is not finite."""
        return json.dumps(
            dataclasses.asdict(self),  # type: ignore[call-overload]
            separators=(",", ":"),
            allow_nan=False,
        ).encode()

    @classmethod
    def from_json(cls, value: bytes | None) -> Self:
        """Read the record back.

        Raises:
            RefusedMessage: it is not JSON, a field is missing or unknown, or is not finite.
        """
        return cls(**parse_object(value, cls))


def parse_object(value: bytes | None, cls: type) -> dict[str, Any]:
    """The fields of the dataclass `cls` from JSON; raises RefusedMessage as `from_json` does."""
    try:
        fields = json.loads(value or b"")
    except (ValueError, UnicodeDecodeError, RecursionError):
        raise RefusedMessage(
            Refusal.UNREADABLE, f"not JSON where a {cls.__name__} is due"
        ) from None
    if not isinstance(fields, dict):
        raise RefusedMessage(Refusal.UNREADABLE, f"not a JSON object: a {cls.__name__} is due")
    known = {field.name: field for field in dataclasses.fields(cls)}
    if unknown := set(fields) - set(known):
        raise RefusedMessage(
            Refusal.ABSURD_HEADER, f"{cls.__name__} has no field {sorted(unknown)[0][:40]!r}"
        )
    for name, field in known.items():
        if name not in fields and field.default is dataclasses.MISSING:
            raise RefusedMessage(Refusal.MISSING_HEADER, f"{cls.__name__} lacks {name!r}")
    for name, number in fields.items():
        if isinstance(number, float) and not math.isfinite(number):
            raise RefusedMessage(Refusal.NON_FINITE, f"{name!r} is not finite")
    return fields
