"""`vagitus alerts quiet`, on a real broker."""

import asyncio

import pytest

from streams.agents.quiet import read_quiet_hours
from streams.timeline.store import TimelineStore


@pytest.fixture
def quiet(vagitus, settings, monkeypatch, tmp_path):
    """Run `vagitus alerts quiet`, with a timeline of its own."""
    monkeypatch.setenv("VAGITUS_BROKER", settings.broker)
    monkeypatch.setenv("VAGITUS_TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("VAGITUS_PARTITIONS", str(settings.partitions))
    monkeypatch.setenv("VAGITUS_TIMELINE_URL", f"sqlite:///{tmp_path / 'timeline.sqlite3'}")
    monkeypatch.setenv("VAGITUS_ALERTMANAGER_URL", "http://127.0.0.1:9093")
    return lambda *arguments: vagitus("alerts", "quiet", *arguments)


def acts(tmp_path) -> list[tuple[str, str, str, str]]:
    store = TimelineStore(f"sqlite:///{tmp_path / 'timeline.sqlite3'}")
    try:
        return [(act.what, act.ward, act.who, act.remark) for act in store.acts()]
    finally:
        store.close()


NIGHT = ("neonatal", "--from", "21:00", "--until", "06:00", "--zone", "Europe/Berlin")


def test_hours_are_set_changed_listed_and_removed_and_all_of_it_is_on_the_timeline(quiet, tmp_path):
    said = "low and medium alerts are not told from 21:00 to 06:00, Europe/Berlin"
    status, out, _ = quiet("set", *NIGHT, "--by", "head-nurse", "--because", "they sleep")
    assert (status, out) == (0, f"neonatal/21:00-06:00: {said}.\n")
    listed = quiet("list")[1]
    assert listed.startswith(f"neonatal/21:00-06:00  {said}")
    assert "head-nurse: they sleep" in listed
    assert quiet("set", *NIGHT, "--up-to", "low", "--by", "nurse-4")[0] == 0
    (line,) = quiet("list")[1].splitlines()
    assert "  low alerts are not told" in line and "nurse-4" in line
    removed = quiet("remove", "neonatal/21:00-06:00", "--by", "nurse-4", "--because", "enough")
    assert removed[:2] == (0, "neonatal/21:00-06:00 is removed.\n")
    assert quiet("list")[1] == "There are no quiet hours.\n"
    hours = "21:00-06:00 Europe/Berlin, up to"
    assert sorted(acts(tmp_path)) == [
        ("quiet_hours_removed", "neonatal", "nurse-4", f"{hours} low: enough"),
        ("quiet_hours_set", "neonatal", "head-nurse", f"{hours} medium: they sleep"),
        ("quiet_hours_set", "neonatal", "nurse-4", f"{hours} low"),
    ]


def test_a_ward_in_which_nobody_lies_is_told_of_and_its_hours_are_kept(quiet, vagitus):
    status, _, error = quiet("set", *NIGHT)
    assert (status, "nobody is admitted there now (ward neonatal)" in error) == (0, True)
    assert quiet("list")[1].startswith("neonatal/21:00-06:00")
    assert vagitus("admit", "mon-1", "infant-1", "--ward", "neonatal", "--bed", "cot-1")[0] == 0
    assert quiet("set", *NIGHT, "--up-to", "low")[2] == ""


def test_hours_without_a_zone_are_of_this_machines(quiet, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert "Asia/Tokyo" in quiet("set", "nicu", "--from", "12:30", "--until", "14:00")[1]


def test_what_cannot_be_put_on_the_timeline_is_neither_set_nor_removed(
    quiet, settings, monkeypatch, tmp_path
):
    assert quiet("set", *NIGHT)[0] == 0
    before = asyncio.run(read_quiet_hours(settings))
    (tmp_path / "taken").mkdir()
    monkeypatch.setenv("VAGITUS_TIMELINE_URL", f"sqlite:///{tmp_path / 'taken'}")
    for line in (("set", *NIGHT, "--up-to", "low"), ("set", "nicu", *NIGHT[1:]),
                 ("remove", "neonatal/21:00-06:00")):  # fmt: skip
        status, _, error = quiet(*line)
        assert (status, error.startswith("vagitus: ")) == (1, True)
    assert asyncio.run(read_quiet_hours(settings)) == before


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (("a ward", *NIGHT[1:]), "ward 'a ward' is not"),
        (("nicu", "--from", "9pm", "--until", "06:00"), "'9pm' is not a time of day, as 21:00"),
        (("nicu", "--from", "06:00", "--until", "06:00"), "end when they begin"),
        ((*NIGHT[:-1], "Mars"), "'Mars' is no time zone, as Europe/Berlin"),
        ((*NIGHT, "--up-to", "high"), "'high' is not one of"),
        (("nicu", "--until", "06:00"), "Missing option '--from'"),
    ],
)
def test_what_are_no_hours_is_said_in_one_sentence(quiet, line, why):
    status, _, error = quiet("set", *line)
    assert (status, why in error) == (2, True), error


def test_hours_that_are_not_set_cannot_be_removed(quiet):
    status, _, error = quiet("remove", "neonatal/21:00-06:00")
    assert (status, "There are no such quiet hours" in error) == (1, True)


def test_hours_that_nobody_would_keep_are_not_set(quiet, monkeypatch):
    monkeypatch.setenv("VAGITUS_ALERTMANAGER_URL", "")
    status, _, error = quiet("set", *NIGHT)
    assert (status, "set VAGITUS_ALERTMANAGER_URL" in error) == (1, True)
    assert quiet("list")[1] == "There are no quiet hours.\n"
