"""CloudEvents 1.0 in Kafka's binary mode: attributes travel as headers, the data is the value.

Source: CloudEvents Kafka Protocol Binding 1.0, section 3.2 (binary content mode): each
attribute is a header `ce_<name>` in UTF-8, `datacontenttype` is the header `content-type`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from streams.errors import Refusal, RefusedMessage

SPEC_VERSION = "1.0"
# Longer header values are nobody's monitor or bed: they are refused before they reach a label.
MAX_HEADER_BYTES = 256
# Before this no recording reaches a stream: an unset clock says 1970.
EARLIEST_MS = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1000)
# A clock that runs fast by more than a day is a fault to be shown, not a time to be believed.
MAX_AHEAD_MS = 24 * 3600 * 1000

_ATTRIBUTES = frozenset(
    {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"}
)

Headers = Mapping[str, bytes] | Iterable[tuple[str, bytes]] | None


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """The attributes of one event.

    Attributes:
        id: unique within `source`.
        source: who says it, here a monitor or an infant's pseudonym.
        type: what is said, e.g. `vagitus.audio-chunk.v1`.
        time_ms: when it happened (capture time), milliseconds since 1970 UTC.
        content_type: media type of the value.
        extensions: further attributes, lower-case names.
    """

    id: str
    source: str
    type: str
    time_ms: int
    content_type: str
    extensions: Mapping[str, str] = field(default_factory=dict)

    def headers(self) -> list[tuple[str, bytes]]:
        """The event as Kafka headers."""
        attributes = {
            "specversion": SPEC_VERSION,
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "time": format_time(self.time_ms),
            **self.extensions,
        }
        pairs = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
        return [*pairs, ("content-type", self.content_type.encode())]

    @classmethod
    def from_headers(cls, headers: Headers, now_ms: int | None = None) -> "CloudEvent":
        """Read an event back.

        Args:
            headers: of a Kafka message.
            now_ms: the present; when given, a time more than a day ahead of it is refused.

        Raises:
            RefusedMessage: a header is missing, is not text, is over-long or absurd.
        """
        texts = _texts(headers)
        if required(texts, "ce_specversion") != SPEC_VERSION:
            raise RefusedMessage(
                Refusal.ABSURD_HEADER, f"ce_specversion is not {SPEC_VERSION}: send CloudEvents 1.0"
            )
        time_ms = parse_time(required(texts, "ce_time"))
        if time_ms < EARLIEST_MS or (now_ms is not None and time_ms > now_ms + MAX_AHEAD_MS):
            raise RefusedMessage(
                Refusal.ABSURD_HEADER, "ce_time is absurd: set the monitor's clock"
            )
        return cls(
            id=required(texts, "ce_id"),
            source=required(texts, "ce_source"),
            type=required(texts, "ce_type"),
            time_ms=time_ms,
            content_type=required(texts, "content-type"),
            extensions={
                name[3:]: value
                for name, value in texts.items()
                if name.startswith("ce_") and name not in _ATTRIBUTES
            },
        )

    def known_number(self, name: str) -> float | None:
        """The number of an extension that `if_known` wrote; None where it is missing.

        Raises ValueError where it is no number.
        """
        text = self.extensions.get(name)
        return None if text is None else float(text)


def if_known(name: str, value: float | None) -> dict[str, str]:
    """An extension with one decimal, or none."""
    return {} if value is None else {name: f"{value:.1f}"}


def _texts(headers: Headers) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    texts: dict[str, str] = {}
    for name, value in pairs:
        if len(value or b"") > MAX_HEADER_BYTES:
            raise RefusedMessage(Refusal.OVER_LONG, f"header {name[:40]!r} is over-long")
        try:
            text = (value or b"").decode()
        except UnicodeDecodeError:
            raise RefusedMessage(
                Refusal.ABSURD_HEADER, f"header {name[:40]!r} is not UTF-8"
            ) from None
        if not text.isprintable():
            raise RefusedMessage(
                Refusal.ABSURD_HEADER, f"header {name[:40]!r} holds control characters"
            )
        texts[name] = text
    return texts


def required(texts: Mapping[str, str], name: str) -> str:
    """The text of a header that must be there; raises RefusedMessage where it is not."""
    value = texts.get(name)
    if not value:
        raise RefusedMessage(Refusal.MISSING_HEADER, f"header {name!r} is missing")
    return value


def format_time(time_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. `2026-01-31T08:15:00.250Z`."""
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def parse_time(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 time; raises RefusedMessage for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise RefusedMessage(
            Refusal.ABSURD_HEADER, "ce_time is not an RFC 3339 time with a zone"
        ) from None
