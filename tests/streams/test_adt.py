"""HL7 v2 ADT messages into admissions."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("hl7")

from streams.adt import (
    Bed,
    Change,
    Trigger,
    changes_of,
    pseudonym_of,
    read_beds,
    read_event,
    read_key,
    split_messages,
    unheard,
)
from streams.errors import AdtError
from streams.records.admission import Admission

BEDS = {
    "NICU^12^A": Bed("nicu", "12-A", "mon-1"),
    "NICU^12^B": Bed("nicu", "12-B", "mon-2"),
    "STEP^1^A": Bed("step-down", "1-A", "mon-3"),
}


def message(
    trigger: str = "A01",
    patient: str = "4711^^^HOSP^MR",
    location: str = "NICU^12^A",
    at: str = "20260105080000+0000",
    control_id: str = "77",
) -> str:
    return "\r".join(
        [
            f"MSH|^~\\&|ADT|HOSP|VAGITUS|NICU|20260105090000+0000||ADT^{trigger}|{control_id}|P|2.5",
            f"EVN|{trigger}|{at}",
            f"PID|1||{patient}||DOE^BABY BOY",
            f"PV1|1|I|{location and location + '^HOSP'}",
        ]
    )


def milliseconds(*moment: int, zone=UTC) -> int:
    return round(datetime(*moment, tzinfo=zone).timestamp() * 1000)


def infant_of(patient: tuple[str, str]) -> str:
    return f"infant-{patient[0]}"


def after(*texts: str) -> dict[str, Admission]:
    """Who lies where once these messages have been taken."""
    lying: dict[str, Admission] = {}
    for text in texts:
        for change in changes_of(read_event(text), lying, BEDS, infant_of):
            lying.pop(change.monitor, None)
            if change.admission:
                lying[change.monitor] = change.admission
    return lying


def test_a_message_says_who_where_and_when():
    event = read_event(message())
    assert (event.trigger, event.patient, event.location) == (
        Trigger.ADMIT,
        ("4711", "HOSP"),
        "NICU^12^A",
    )
    assert event.at_ms == milliseconds(2026, 1, 5, 8)
    assert event.control_id == "77"


def test_the_wanted_identifier_is_taken():
    text = message(patient="4711^^^HOSP^MR~0815^^^LAND^NI")
    assert read_event(text, id_type="NI").patient == ("0815", "LAND")
    with pytest.raises(AdtError, match="message 77: PID-3 has no identifier of type SS"):
        read_event(text, id_type="SS")


def test_a_time_without_an_offset_is_of_the_zone_that_is_said():
    rome = ZoneInfo("Europe/Rome")
    event = read_event(message(at="202607050800"), rome)
    assert event.at_ms == milliseconds(2026, 7, 5, 8, zone=rome)


def test_without_an_event_time_the_message_s_own_counts():
    assert read_event(message(at="")).at_ms == milliseconds(2026, 1, 5, 9)


def test_other_kinds_of_messages_say_nothing():
    assert read_event(message("A08")) is None
    assert read_event(message().replace("ADT^A01", "ORU^R01")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 characters are no HL7"),
        ("MSH|", "no HL7"),
        ("BABY DOE was admitted", "no HL7"),
        (message(patient=""), "message 77: PID-3"),
        (message(location=""), "message 77: PV1-3"),
        (message(at="yesterday"), "message 77: neither"),
        (message().replace("PID|", "ZZZ|"), "message 77: PID-3"),
        (message().replace("PV1|", "ZZZ|").replace("^HOSP", ""), "message 77: PV1-3"),
    ],
)
def test_what_cannot_be_used_is_named_without_the_patient(text, reason):
    with pytest.raises(AdtError, match=reason) as error:
        read_event(text)
    assert "DOE" not in str(error.value)
    assert "4711" not in str(error.value)


def test_messages_are_parted_with_and_without_frames():
    texts = [message(), message("A03")]
    plain = "\r".join(texts).split("\r")
    framed = "".join(f"\x0b{text}\r\x1c\r" for text in texts).split("\r")
    assert list(split_messages(plain)) == texts
    assert list(split_messages(framed)) == texts
    assert list(split_messages([])) == []


def test_a_framed_message_is_there_before_the_next_one_begins():
    def lines():
        yield from f"\x0b{message()}\r\x1c".split("\r")
        raise AssertionError("waited for more")

    assert next(split_messages(lines())) == message()


def test_a_pseudonym_is_the_patient_s_and_needs_the_key():
    name = pseudonym_of(("4711", "HOSP"), b"k" * 16)
    assert name == pseudonym_of(("4711", "HOSP"), b"k" * 16)
    others = {
        pseudonym_of(("4711", "OTHER"), b"k" * 16),
        pseudonym_of(("4711", "HOSP"), b"l" * 16),
        name,
    }
    assert len(others) == 3
    assert "4711" not in name
    Admission("mon-1", name, "nicu", "1", 0)  # is a name that an admission takes


def test_an_infant_goes_from_bed_to_bed_and_home():
    admitted = after(message())
    assert admitted == {
        "mon-1": Admission("mon-1", "infant-4711", "nicu", "12-A", milliseconds(2026, 1, 5, 8))
    }
    moved = message("A02", location="STEP^1^A", at="20260106080000+0000")
    assert {m: a.ward for m, a in after(message(), moved).items()} == {"mon-3": "step-down"}
    home = message("A03", location="", at="20260107080000+0000")
    assert after(message(), moved, home) == {}


def test_who_moves_to_a_bed_without_a_monitor_is_heard_by_none():
    away = message("A02", location="SURGERY^3^A", at="20260106080000+0000")
    assert after(message(), away) == {}
    assert not unheard(read_event(away), BEDS)


def test_a_bed_without_a_monitor_in_a_ward_that_has_some_is_noticed():
    assert unheard(read_event(message(location="NICU^12^C")), BEDS)
    assert not unheard(read_event(message()), BEDS)
    assert not unheard(read_event(message("A03", location="NICU^12^C")), BEDS)


def test_the_old_monitor_is_left_before_the_new_one_is_taken():
    lying = after(message())
    moved = read_event(message("A02", location="NICU^12^B", at="20260106080000+0000"))
    first, second = changes_of(moved, lying, BEDS, infant_of)
    assert first == Change("mon-1")
    assert second.admission.monitor == "mon-2"


def test_a_new_infant_takes_the_bed_of_one_who_was_never_discharged():
    lying = after(message(), message(patient="9", at="20260106080000+0000"))
    assert {m: a.infant for m, a in lying.items()} == {"mon-1": "infant-9"}


def test_a_message_read_again_changes_nothing():
    moved = message("A02", location="NICU^12^B", at="20260106080000+0000")
    lying = after(message(), moved)
    for text in (message(), moved):
        assert changes_of(read_event(text), lying, BEDS, infant_of) == []


def test_the_discharge_of_somebody_who_lies_nowhere_changes_nothing():
    assert after(message(), message("A03", patient="9")) == after(message())


@pytest.mark.parametrize("mark", ["", "\ufeff"])  # as spreadsheets write one
def test_beds_are_read_from_a_table(tmp_path, mark):
    path = tmp_path / "beds.csv"
    path.write_text(f"{mark}location,ward,bed,monitor\nNICU^12^A,nicu,12-A,mon-1\n")
    assert read_beds(path) == {"NICU^12^A": Bed("nicu", "12-A", "mon-1")}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("location,ward,bed\nNICU,nicu,1\n", "columns"),
        ("location,ward,bed,monitor\nNICU,nicu\n", "columns"),
        ("location,ward,bed,monitor\nA,n,1,mon-1\nB,n,2,mon-1\n", "twice"),
        ("location,ward,bed,monitor\nA,n,1,mon-1\nA,n,2,mon-2\n", "twice"),
        (None, "cannot be read"),
    ],
)
def test_a_table_of_beds_that_cannot_be_used_says_why(tmp_path, content, reason):
    path = tmp_path / "beds.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AdtError, match=reason):
        read_beds(path)


def test_a_key_must_be_long_enough(tmp_path):
    path = tmp_path / "key"
    with pytest.raises(AdtError, match="cannot be read"):
        read_key(path)
    path.write_text("short\n")
    with pytest.raises(AdtError, match="5 bytes"):
        read_key(path)
    path.write_text("0123456789abcdef\n")
    assert read_key(path) == b"0123456789abcdef"
