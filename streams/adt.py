"""HL7 v2 ADT messages into admissions: who lies where, as the hospital's own system says it.

Messages name patients; nothing of that goes any further. An infant becomes a pseudonym made with
a secret key, and an error names a message by its control id (MSH-10) alone.
"""

import csv
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import StrEnum
from pathlib import Path

import hl7

from streams.errors import AdtError, RefusedMessage
from streams.records.admission import Admission

# Of the Minimal Lower Layer Protocol: before, and after a message.
MLLP_START, MLLP_END = "\x0b", "\x1c"
HEADER = "MSH|"
# 2^48: among a million infants two share a pseudonym once in 600.
PSEUDONYM_DIGITS = 12
KEY_BYTES = 16
BED_COLUMNS = ("location", "ward", "bed", "monitor")


class Trigger(StrEnum):
    """The trigger events that say where a patient lies (HL7 v2.5, chapter 3)."""

    ADMIT = "A01"
    TRANSFER = "A02"
    DISCHARGE = "A03"


@dataclass(frozen=True, slots=True)
class AdtEvent:
    """What one message says.

    Attributes:
        control_id: of the message (MSH-10).
        trigger: admitted, transferred or discharged.
        patient: identifier and who assigned it (PID-3.1, PID-3.4): never to leave this process.
        location: point of care, room and bed as they are written (PV1-3), e.g. `NICU^12^A`.
        at_ms: when it happened (EVN-6, EVN-2 or MSH-7), ms since 1970 UTC.
    """

    control_id: str
    trigger: Trigger
    patient: tuple[str, str]
    location: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Bed:
    """A bed with a monitor, by the names under which Vagitus shows it."""

    ward: str
    bed: str
    monitor: str


def split_messages(lines: Iterable[str]) -> Iterator[str]:
    """Messages out of segments, one a line: framed by MLLP, or each beginning with `MSH|`.

    A message without a frame is complete only when the next one begins or everything has ended.
    """
    gathered: list[str] = []
    for line in lines:
        segment, end, _ = line.strip(" \t\r\n").lstrip(MLLP_START).partition(MLLP_END)
        if segment.startswith(HEADER) and gathered:
            yield "\r".join(gathered)
            gathered = []
        if segment:
            gathered.append(segment)
        if end and gathered:
            yield "\r".join(gathered)
            gathered = []
    if gathered:
        yield "\r".join(gathered)


def read_event(text: str, zone: tzinfo | None = None, id_type: str = "") -> AdtEvent | None:
    """What a message says; None if it is of another kind than A01, A02 and A03.

    Args:
        text: segments parted by carriage returns.
        zone: of times without an offset; None: this machine's.
        id_type: of the identifier to take (PID-3.5), e.g. `MR`; empty: the first one.

    Raises:
        AdtError: it is no HL7 v2 message, or lacks what an admission needs.
    """
    try:
        message = hl7.parse(text)
    except (hl7.HL7Exception, LookupError, ValueError):
        raise AdtError(f"{len(text)} characters are no HL7 v2 message") from None
    control_id = _field(message, "MSH", 10) or "without a control id"
    kind, trigger = _field(message, "MSH", 9, 1), _field(message, "MSH", 9, 2)
    if kind != "ADT" or trigger not in list(Trigger):
        return None
    location = "^".join(_field(message, "PV1", 3, n) for n in (1, 2, 3)).rstrip("^")
    if trigger != Trigger.DISCHARGE and not location:
        raise AdtError(f"message {control_id}: PV1-3 does not say where the patient lies")
    times = (_field(message, *place) for place in (("EVN", 6), ("EVN", 2), ("MSH", 7)))
    at = next(filter(None, times), "")
    try:
        moment = hl7.parse_datetime(at) if at else None
    except ValueError:
        moment = None
    if moment is None:
        raise AdtError(f"message {control_id}: neither EVN-6, EVN-2 nor MSH-7 is a time")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone) if zone else moment.astimezone()
    return AdtEvent(
        control_id,
        Trigger(trigger),
        _patient(message, control_id, id_type),
        location,
        round(moment.astimezone(UTC).timestamp() * 1000),
    )


def _patient(message: hl7.Message, control_id: str, id_type: str) -> tuple[str, str]:
    repetition = 1
    while identifier := _field(message, "PID", 3, 1, repetition):
        if id_type in ("", _field(message, "PID", 3, 5, repetition)):
            return identifier, _field(message, "PID", 3, 4, repetition)
        repetition += 1
    wanted = f" of type {id_type}" if id_type else ""
    raise AdtError(f"message {control_id}: PID-3 has no identifier{wanted}")


def _field(
    message: hl7.Message, segment: str, field: int, component: int = 1, repetition: int = 1
) -> str:
    """What stands there; empty if nothing does."""
    try:
        return message.extract_field(segment, 1, field, repetition, component).strip()
    except LookupError:
        return ""


def pseudonym_of(patient: tuple[str, str], key: bytes) -> str:
    """The same for the same patient and key, and of no use without the key (HMAC-SHA256)."""
    digest = hmac.new(key, "^".join(patient).encode(), hashlib.sha256).hexdigest()
    return f"infant-{digest[:PSEUDONYM_DIGITS]}"


def read_key(path: Path) -> bytes:
    """The secret key of pseudonyms, whatever surrounds it; raises AdtError if it is too short."""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise AdtError(f"The key cannot be read: {error}.") from None
    if len(key) < KEY_BYTES:
        raise AdtError(
            f"{path} holds {len(key)} bytes: a key has at least {KEY_BYTES}. "
            "Make one with `openssl rand -hex 32`, once, and keep it."
        )
    return key


def read_beds(path: Path) -> dict[str, Bed]:
    """Which location has which monitor: CSV with the columns location, ward, bed, monitor.

    Raises:
        AdtError: the file cannot be read, lacks a column, or names a location or monitor twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        names = [[row[name].strip() for name in BED_COLUMNS] for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AdtError(f"The beds cannot be read: {error}.") from None
    except (KeyError, AttributeError):
        raise AdtError(
            f"{path} needs the columns {', '.join(BED_COLUMNS)} in every line."
        ) from None
    beds = {location: Bed(*bed) for location, *bed in names}
    if len({bed.monitor for bed in beds.values()}) < len(rows):
        raise AdtError(f"{path} names a location or a monitor twice.")
    return beds


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be published: a discharge of whoever lies at `monitor`, or an admission."""

    monitor: str
    admission: Admission | None = None


def changes_of(
    event: AdtEvent,
    lying: Mapping[str, Admission],
    beds: Mapping[str, Bed],
    pseudonym: Callable[[tuple[str, str]], str],
) -> list[Change]:
    """What a message changes, given the admissions in force by monitor.

    Who leaves a bed leaves its monitor before anybody is admitted elsewhere: in between, sound is
    nobody's rather than the wrong infant's. A message older than the infant's admission changes
    nothing, so that a file may be read twice.

    Raises:
        AdtError: a name of the bed cannot be used.
    """
    infant = pseudonym(event.patient)
    before = [admission for admission in lying.values() if admission.infant == infant]
    if any(event.at_ms < admission.admitted_at_ms for admission in before):
        return []
    bed = None if event.trigger is Trigger.DISCHARGE else beds.get(event.location)
    leaves = [Change(a.monitor) for a in before if bed is None or a.monitor != bed.monitor]
    if bed is not None:
        stays = lying.get(bed.monitor)
        if stays is not None and stays in before:
            return leaves
        try:
            admission = Admission(bed.monitor, infant, bed.ward, bed.bed, event.at_ms)
        except RefusedMessage as error:
            raise AdtError(f"message {event.control_id}: {error}") from None
        return [*leaves, Change(bed.monitor, admission)]
    return leaves


def unheard(event: AdtEvent, beds: Mapping[str, Bed]) -> bool:
    """Whether somebody now lies at a bed that no monitor hears, in a ward that has some."""
    ward = event.location.split("^")[0]
    wards = {location.split("^")[0] for location in beds}
    return event.trigger is not Trigger.DISCHARGE and event.location not in beds and ward in wards
