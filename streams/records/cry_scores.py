"""`cry-scores`: the scores of one micro-batch in one record, in the partition of its chunks.

A record per score would cost more than scoring (a send takes about half a millisecond).
"""

import dataclasses
import json
from dataclasses import dataclass
from operator import attrgetter

from streams.errors import Refusal, RefusedMessage
from streams.records.jsons import JsonRecord, parse_object


@dataclass(frozen=True, slots=True)
class CryScore:
    """The score of one second of one monitor.

    Attributes:
        monitor: whose sound.
        sequence: of the chunk.
        captured_at_ms: when the second began, ms since 1970 UTC.
        score: probability that the infant cries in this second, 0..1.
        level_dbfs: level of the second in dB of full scale, at least -120.
        clipped_fraction: share of samples at full scale, 0..1.
    """

    monitor: str
    sequence: int
    captured_at_ms: int
    score: float
    level_dbfs: float
    clipped_fraction: float


_COLUMNS = tuple(field.name for field in dataclasses.fields(CryScore))
_row = attrgetter(*_COLUMNS)  # `dataclasses.astuple` copies deeply, at ten times the cost


@dataclass(frozen=True, slots=True)
class CryScores(JsonRecord):
    """What the detector says of one micro-batch.

    Attributes:
        model: version of the detector.
        scores: one for each second, in the order of the chunks.
    """

    model: str
    scores: tuple[CryScore, ...]

    def to_json(self) -> bytes:
        return json.dumps(
            {
                "model": self.model,
                "columns": _COLUMNS,
                "scores": [_row(score) for score in self.scores],
            },
            separators=(",", ":"),
            allow_nan=False,
        ).encode()

    @classmethod
    def from_json(cls, value: bytes | None) -> "CryScores":
        fields = parse_object(value, _Columns)
        try:
            rows = tuple(
                CryScore(**dict(zip(fields["columns"], row, strict=True)))
                for row in fields["scores"]
            )
        except (TypeError, ValueError):
            raise RefusedMessage(Refusal.UNREADABLE, "a row does not fit its columns") from None
        return cls(model=fields["model"], scores=rows)


@dataclass(frozen=True, slots=True)
class _Columns:
    model: str
    columns: list[str]
    scores: list[list[object]]
