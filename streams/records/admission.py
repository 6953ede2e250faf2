"""`admissions`: which infant lies at which monitor. Compacted; key: monitor; a tombstone
discharges."""

import re
from dataclasses import dataclass

from streams.errors import Refusal, RefusedMessage
from streams.records.jsons import JsonRecord
from streams.records.place import Place

# Bounded and printable, because they become metric labels.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")


@dataclass(frozen=True, slots=True)
class Admission(JsonRecord):
    """An infant lies at a monitor.

    Attributes:
        monitor: the monitor's name.
        infant: the infant's pseudonym: never a name.
        ward: e.g. `nicu`.
        bed: e.g. `cot-3`.
        admitted_at_ms: since when, ms since 1970 UTC.

    Raises:
        RefusedMessage: a name is empty, over-long or holds other than `A-Z a-z 0-9 . _ : / -`.
    """

    monitor: str
    infant: str
    ward: str
    bed: str
    admitted_at_ms: int

    def __post_init__(self) -> None:
        for name in ("monitor", "infant", "ward", "bed"):
            value = getattr(self, name)
            if not isinstance(value, str) or not _NAME.fullmatch(value):
                raise RefusedMessage(
                    Refusal.ABSURD_HEADER,
                    f"{name} {str(value)[:40]!r} is not 1 to 128 of A-Z a-z 0-9 . _ : / -",
                )
        if not isinstance(self.admitted_at_ms, int):
            raise RefusedMessage(Refusal.ABSURD_HEADER, "admitted_at_ms is not a whole number")

    def place(self) -> Place:
        """Where the infant lies."""
        return Place(monitor=self.monitor, infant=self.infant, ward=self.ward, bed=self.bed)
