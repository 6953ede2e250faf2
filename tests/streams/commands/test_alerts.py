"""`vagitus alerts`, on a real Alertmanager."""

import asyncio
import re
import time

import pytest

from streams.alerting.alertmanager import Alert, Alertmanager
from streams.alerting.silences import Matcher, Silences
from streams.timeline.store import TimelineStore
from tests.deploy.servers import Servers

SILENCE_ID = re.compile(r"\[(\S+)\]")


@pytest.fixture
def alerts(vagitus, alertmanager, monkeypatch, tmp_path):
    """Run `vagitus alerts`, with a timeline of its own."""
    monkeypatch.setenv("VAGITUS_ALERTMANAGER_URL", alertmanager.urls["alertmanager"])
    monkeypatch.setenv("VAGITUS_TIMELINE_URL", f"sqlite:///{tmp_path / 'timeline.sqlite3'}")
    yield lambda *arguments: vagitus("alerts", *arguments)
    for silence in SILENCE_ID.findall(vagitus("alerts", "list")[1]):
        vagitus("alerts", "lift", silence)


@pytest.fixture
def post(alertmanager):
    """Post an alert of an infant, as a worker does."""

    async def posted(alerts: list[Alert]) -> None:
        posting = Alertmanager(alertmanager.urls["alertmanager"])
        try:
            await posting.post(alerts, [], time.time())
        finally:
            await posting.close()

    def post(infant: str, *names: str, bed: str = "cot-1") -> None:
        asyncio.run(posted([_alert(infant, name, bed) for name in names]))

    return post


def _alert(infant: str, name: str, bed: str) -> Alert:
    labels = {
        "alertname": name,
        "severity": "high" if name == "InfantDeviating" else "medium",
        "system": "vagitus",
        "ward": "nicu",
        "bed": bed,
        "infant": infant,
    }
    summary = (("summary", f"{name} of {infant}"),)
    return Alert(tuple(labels.items()), summary, int(time.time() * 1000) - 1000)


def silent(servers: Servers) -> set[tuple[str, str]]:
    """Alerts that nobody is told of, by name and infant, once Alertmanager has looked."""
    return {key for key, held in servers.alerts().items() if held["status"]["silencedBy"]}


def acts(tmp_path, infant: str) -> list[tuple[str, str, str]]:
    store = TimelineStore(f"sqlite:///{tmp_path / 'timeline.sqlite3'}")
    try:
        return [(act.what, act.who, act.remark) for act in store.acts(infant)]
    finally:
        store.close()


def test_an_infant_is_silenced_its_monitor_and_the_others_are_not(
    alerts, post, alertmanager, tmp_path
):
    post("infant-1", "InfantDeviating", "InfantDrifting", "MonitorSilent")
    post("infant-2", "InfantDeviating")
    status, said, error = alerts(
        "silence", "infant-1", "--for", "2h", "--by", "nurse-4", "--because", "blood is taken"
    )
    assert (status, error) == (0, "")
    assert said.startswith("infant-1: silent until ")
    assert silent(alertmanager) == {("InfantDeviating", "infant-1"), ("InfantDrifting", "infant-1")}
    assert acts(tmp_path, "infant-1") == [("alerts_silenced", "nurse-4", "blood is taken")]
    lines = alerts("list")[1].splitlines()
    assert lines[0].startswith("high    InfantDeviating of infant-")
    assert "medium  InfantDrifting of infant-1  (silenced)" in lines
    assert "medium  MonitorSilent of infant-1" in lines
    assert "infant=infant-1" in lines[-1]
    assert "nurse-4: blood is taken" in lines[-1]


def test_a_bed_is_silenced_with_its_monitor_and_the_silence_can_be_lifted(
    alerts, post, alertmanager, tmp_path
):
    post("infant-3", "InfantDeviating", "MonitorSilent", bed="cot-3")
    alerts("silence", "--ward", "nicu", "--bed", "cot-3", "--for", "30m")
    assert silent(alertmanager) == {("InfantDeviating", "infant-3"), ("MonitorSilent", "infant-3")}
    (silence,) = SILENCE_ID.findall(alerts("list")[1])
    assert alerts("lift", silence, "--by", "nurse-1")[:2] == (0, "The silence is lifted.\n")
    assert silent(alertmanager) == set()
    status, _, error = alerts("lift", silence)
    assert (status, "There is no such silence" in error) == (1, True)


def test_a_bed_in_which_nobody_lies_is_told_of_and_silenced(alerts, vagitus, settings, monkeypatch):
    for name in ("broker", "topic_prefix", "partitions"):
        monkeypatch.setenv(f"VAGITUS_{name.upper()}", str(getattr(settings, name)))
    assert vagitus("admit", "mon-1", "infant-1", "--ward", "nicu", "--bed", "cot-3")[0] == 0
    there = ("silence", "--ward", "nicu", "--bed", "cot-3")
    assert alerts(*there)[2] == ""
    assert alerts("silence", "infant-1")[2] == ""
    status, said, error = alerts("silence", "--ward", "nicu", "--bed", "cot-33")
    assert (status, said.startswith("nicu, cot-33: silent until ")) == (0, True)
    assert "nobody is admitted there now (ward nicu, bed cot-33)" in error


def test_what_is_acknowledged_is_quiet_and_what_comes_next_is_not(
    alerts, post, alertmanager, tmp_path
):
    post("infant-4", "InfantDrifting")
    assert alerts("acknowledge", "infant-4", "--by", "physician-2")[:2] == (
        0,
        "infant-4: InfantDrifting is acknowledged.\n",
    )
    post("infant-4", "InfantDeviating")
    assert silent(alertmanager) == {("InfantDrifting", "infant-4")}
    assert acts(tmp_path, "infant-4") == [("alert_acknowledged", "physician-2", "InfantDrifting")]
    status, _, error = alerts("acknowledge", "infant-5")
    assert (status, "infant-5 has no such alert" in error) == (1, True)


def test_a_silence_of_quiet_hours_is_lifted_with_them(alerts, alertmanager):
    silences = Silences(alertmanager.urls["alertmanager"])
    why, until_ms = "quiet hours nicu/21:00-06:00; they sleep", int(time.time() * 1000) + 60_000
    silence = silences.add([Matcher("ward", "nicu")], until_ms, "nurse-4", why)
    status, _, error = alerts("lift", silence)
    assert (status, "vagitus alerts quiet remove nicu/21:00-06:00" in error) == (1, True)
    silences.lift(silence)


def test_a_silence_outlives_a_restart(alerts, post, alertmanager):
    alerts("silence", "infant-6", "--for", "30m")
    alertmanager.stop()
    alertmanager.start("alertmanager")
    assert "infant=infant-6" in alerts("list")[1]


def test_what_cannot_be_put_on_the_timeline_is_not_silenced(alerts, monkeypatch, tmp_path):
    (tmp_path / "taken").mkdir()
    monkeypatch.setenv("VAGITUS_TIMELINE_URL", f"sqlite:///{tmp_path / 'taken'}")
    status, _, error = alerts("silence", "infant-7")
    assert (status, error.startswith("vagitus: ")) == (1, True)
    assert "infant-7" not in alerts("list")[1]


@pytest.mark.parametrize("span", ["2d", "25h", "0m", "soon", "-1h"])
def test_a_silence_lasts_a_day_at_most(alerts, span):
    status, _, error = alerts("silence", "infant-1", "--for", span)
    assert (status, "at most a day" in error) == (2, True)


@pytest.mark.parametrize(
    "whose", [(), ("--ward", "nicu"), ("infant-1", "--ward", "nicu", "--bed", "cot-1")]
)
def test_a_silence_is_of_an_infant_or_of_a_bed(alerts, whose):
    status, _, error = alerts("silence", *whose)
    assert (status, "Name an INFANT, or --ward and --bed" in error) == (2, True)


def test_an_alertmanager_that_is_not_there_is_one_sentence(vagitus, monkeypatch):
    status, _, error = vagitus("alerts", "list")
    assert (status, error) == (
        1, "vagitus: Say where Alertmanager is: set VAGITUS_ALERTMANAGER_URL.\n",
    )  # fmt: skip
    monkeypatch.setenv("VAGITUS_ALERTMANAGER_URL", "http://127.0.0.1:1")
    status, _, error = vagitus("alerts", "list")
    assert status == 1
    assert error.startswith("vagitus: No Alertmanager answers at VAGITUS_ALERTMANAGER_URL")
