"""`vagitus admit`, `transfer`, `discharge`, `admissions` and `adt`, on a broker."""

import asyncio
import io
import json
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from streams.admissions import read_admissions
from streams.adt import pseudonym_of
from tests.streams.test_adt import message

KEY = b"0123456789abcdef"


@pytest.fixture
def adt(vagitus_there, tmp_path):
    """`vagitus adt` with two beds and a key."""
    (tmp_path / "beds.csv").write_text(
        "location,ward,bed,monitor\nNICU^12^A,nicu,12-A,mon-1\nNICU^12^B,nicu,12-B,mon-2\n"
    )
    (tmp_path / "key").write_bytes(KEY)

    def run(*arguments: object):
        where = ("--beds", tmp_path / "beds.csv", "--key-file", tmp_path / "key")
        return vagitus_there("adt", *arguments, *where)

    return run


def places(settings) -> dict[str, tuple[str, str, str]]:
    found = asyncio.run(read_admissions(settings))
    return {monitor: (a.infant, a.ward, a.bed) for monitor, a in found.items()}


def test_an_infant_is_admitted_moved_and_discharged(vagitus_there, settings):
    vagitus_there("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1")
    vagitus_there("admit", "mon-2", "infant-2", "--ward", "nicu", "--bed", "cot-2")
    status, said, _ = vagitus_there("transfer", "infant-1", "--monitor", "mon-3", "--bed", "cot-3")
    assert (status, said) == (0, "infant-1 is at mon-3 now (nicu, cot-3).\n")
    assert places(settings) == {
        "mon-2": ("infant-2", "nicu", "cot-2"),
        "mon-3": ("infant-1", "nicu", "cot-3"),
    }
    vagitus_there("transfer", "infant-1", "--ward", "step-down")
    vagitus_there("discharge", "mon-2")
    assert places(settings) == {"mon-3": ("infant-1", "step-down", "cot-3")}


def test_who_lies_at_a_monitor_is_not_put_out_by_a_slip_of_the_pen(vagitus_there, settings):
    vagitus_there("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1")
    status, _, error = vagitus_there("admit", "mon-1", "infant-2", "--ward", "nicu", "--bed", "c")
    assert status == 1
    assert error.startswith("vagitus: infant-1 lies at mon-1 (nicu, cot-1), and nobody would")
    status, _, error = vagitus_there("admit", "mon-2", "infant-1", "--ward", "nicu", "--bed", "c")
    assert status == 1
    assert "`vagitus transfer infant-1 --monitor mon-2 --ward nicu --bed c` moves it" in error
    status, _, error = vagitus_there("discharge", "mon-2")
    assert (status, error) == (
        1, "vagitus: Nobody is admitted at mon-2: `vagitus admissions` lists who is.\n",
    )  # fmt: skip
    assert places(settings) == {"mon-1": ("infant-1", "nicu", "cot-1")}
    status, _, _ = vagitus_there("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-9")
    assert (status, places(settings)) == (0, {"mon-1": ("infant-1", "nicu", "cot-9")})


def test_who_leaves_for_another_is_named(vagitus_there, settings):
    vagitus_there("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1")
    vagitus_there("admit", "mon-2", "infant-2", "--ward", "nicu", "--bed", "cot-2")
    _, said, _ = vagitus_there("transfer", "infant-1", "--monitor", "mon-2")
    assert said.splitlines() == [
        "infant-2 has left mon-2.", "infant-1 is at mon-2 now (nicu, cot-1).",
    ]  # fmt: skip
    assert vagitus_there("discharge", "mon-2")[1] == "infant-1 has left mon-2.\n"
    assert places(settings) == {}


def test_a_transfer_needs_somebody_and_somewhere(vagitus_there):
    status, _, error = vagitus_there("transfer", "infant-9", "--bed", "cot-1")
    assert (status, error) == (
        1, "vagitus: infant-9 is admitted nowhere: `vagitus admissions` lists who is.\n",
    )  # fmt: skip
    status, _, error = vagitus_there("transfer", "infant-9")
    assert status == 2
    assert "Say where to" in error


def test_who_lies_where_is_listed(vagitus_there):
    assert vagitus_there("admissions")[1] == "Nobody is admitted.\n"
    vagitus_there("admit", "mon-2", "infant-2", "--ward", "nicu", "--bed", "cot-2")
    vagitus_there("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-1")
    lines = vagitus_there("admissions")[1].splitlines()
    assert [line.split()[:4] for line in lines] == [
        ["nicu", "cot-1", "mon-1", "infant-1"],
        ["nicu", "cot-2", "mon-2", "infant-2"],
    ]
    first = json.loads(vagitus_there("admissions", "--json")[1].splitlines()[0])
    assert (first["infant"], first["bed"]) == ("infant-1", "cot-1")


def test_a_file_of_hl7_messages_admits_moves_and_discharges(adt, settings, tmp_path):
    moved = message("A02", location="NICU^12^B", at="20260106080000+0000")
    texts = [message(), message("A08"), moved, message(patient="9^^^HOSP^MR")]
    (tmp_path / "adt.hl7").write_text("\r".join(texts))
    status, said, error = adt(tmp_path / "adt.hl7")
    one, other = (pseudonym_of((patient, "HOSP"), KEY) for patient in ("4711", "9"))
    assert (status, error) == (0, "")
    assert said.splitlines() == [
        f"{one} is admitted at mon-1 (nicu, 12-A).",
        f"{one} has left mon-1.",
        f"{one} is admitted at mon-2 (nicu, 12-B).",
        f"{other} is admitted at mon-1 (nicu, 12-A).",
        "Messages: 4. Changes: 4, passed over: 1, refused: 0.",
    ]
    assert places(settings) == {
        "mon-1": (other, "nicu", "12-A"),
        "mon-2": (one, "nicu", "12-B"),
    }


def test_bad_messages_are_named_and_the_others_go_on(adt, settings, monkeypatch):
    texts = [message(at="?", control_id="5"), message(location="NICU^12^C", control_id="6"),
             message().replace("BOY", "BÖY")]  # fmt: skip
    framed = "".join(f"\x0b{text}\r\x1c\r" for text in texts).encode("latin-1")
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x0bnonsense\r\x1c\r" + framed))
    )
    status, said, error = adt()
    assert status == 1
    assert said.splitlines()[-1] == "Messages: 4. Changes: 1, passed over: 0, refused: 3."
    assert [line.removeprefix("vagitus: ") for line in error.splitlines()] == [
        "8 characters are no HL7 v2 message.",
        "message 5: neither EVN-6, EVN-2 nor MSH-7 is a time.",
        "message 6: no monitor is known at NICU^12^C, in a ward that has some.",
    ]
    assert list(places(settings)) == ["mon-1"]


def test_who_is_admitted_by_a_clock_that_is_ahead_is_listened_to_now(adt, settings, tmp_path):
    # Local times in a container whose zone is UTC, as it comes.
    ahead = f"{datetime.now(UTC) + timedelta(hours=2):%Y%m%d%H%M%S}+0000"
    (tmp_path / "adt.hl7").write_text(message(at=ahead, control_id="5"))
    status, _, error = adt(tmp_path / "adt.hl7")
    assert status == 0
    assert error.startswith("vagitus: message 5: its time is 120 minutes ahead")
    assert error.endswith("Is --timezone right, and both clocks?\n")
    (admission,) = asyncio.run(read_admissions(settings)).values()
    assert admission.admitted_at_ms <= 1000 * time.time()


def test_a_dry_run_changes_nothing(adt, settings, tmp_path):
    (tmp_path / "adt.hl7").write_text(message())
    status, said, _ = adt(tmp_path / "adt.hl7", "--dry-run")
    assert status == 0
    assert "Messages: 1. Changes: 1," in said
    assert places(settings) == {}


def test_files_and_zones_that_do_not_exist_are_one_sentence(adt):
    status, _, error = adt("missing.hl7")
    assert status == 1
    assert error.startswith("vagitus: The messages cannot be read")
    for zone in ("Europe/Atlantis", "Europe"):
        status, _, error = adt("--timezone", zone)
        assert status == 2
        assert f"There is no time zone '{zone}'" in error
