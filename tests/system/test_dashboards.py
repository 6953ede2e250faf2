"""Every query of every dashboard, answered by a real Prometheus and a real timeline."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from grafana import ask, build
from grafana.queries import Asked, View, asked, read
from grafana.trial import COTS, Trial, trial
from streams.errors import VagitusError
from streams.timeline.acts import ActKind, record_act
from streams.timeline.store import TimelineStore
from tests.system.brokers import unavailable
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system

# Cries enough for baselines, their admission references and an alert, in two minutes.
SECONDS, SPEED = 1320, 12.0
WARD = "nicu"
PAGES = read(build.FOLDER)
QUERIES = [query for page in PAGES for query in asked(page)]


@dataclass(frozen=True)
class Played:
    """A ward that was played, and who answers for it."""

    trial: Trial
    timeline: str

    def answer(self, query: Asked, view: View) -> list:
        """What is answered to a query: rows, or series with at least one number."""
        if query.source == "timeline":
            return ask.timeline(self.timeline, query, view).rows
        found = ask.prometheus(self.trial.prometheus, query, view)
        return [one for one in found if any(math.isfinite(value) for _, value in one.points)]

    def values(self, name: str) -> list[str]:
        """The values of a dashboard's variable, asked for as Grafana asks."""
        (page,) = (page for page in PAGES if page["uid"] == "vagitus-monitors")
        if name == "bed":
            (page,) = (page for page in PAGES if page["uid"] == "vagitus-ward")
        (variable,) = (one for one in page["templating"]["list"] if one["name"] == name)
        series, _, label = variable["query"]["query"].removeprefix("label_values(").partition(", ")
        return ask.labels(self.trial.prometheus, label.rstrip(")"), series.replace("$ward", WARD))

    def views(self, query: Asked) -> list[View]:
        """Every choice of variables that gives the query another answer."""
        # Cries that were played faster than real time began before the worker did.
        began = self.trial.end - SECONDS if query.source == "timeline" else self.trial.begin
        beds = self.values("bed") if query.repeat == "bed" else [""]
        return [
            View(
                began,
                self.trial.end,
                {"ward": WARD, "infant": infant, "monitor": self.values("monitor"), "bed": bed},
            )
            for infant in (self.trial.settled, self.trial.drifting)
            for bed in beds
        ]


@pytest.fixture(scope="module")
def played(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The ward, heard."""
    url = postgres.schema()
    with pytest.MonkeyPatch.context() as environment, ExitStack() as servers:
        environment.setenv("VAGITUS_TIMELINE_URL", url)
        try:
            folder = tmp_path_factory.mktemp("trial")
            found = servers.enter_context(trial(folder, SECONDS, SPEED))
        except VagitusError as error:
            unavailable(str(error))
        store, at_ms = TimelineStore(url), int(1000 * found.end) - 1000
        for infant in (found.settled, found.drifting):
            record_act(store, ActKind.LEARNING_PAUSED, "ward round", infant, at_ms=at_ms)
        for ward in (WARD, "picu"):
            record_act(store, ActKind.QUIET_HOURS_SET, "head-nurse", ward=ward, at_ms=at_ms)
        store.close()
        yield Played(found, url)


@pytest.mark.parametrize("page", PAGES, ids=[page["uid"] for page in PAGES])
def test_no_query_of_a_panel_is_empty(played, page):
    empty = [
        f"{query.title} ({query.ref}): {view.fill(query)}"
        for query in asked(page)
        if not query.annotation
        for view in played.views(query)
        if not played.answer(query, view)
    ]
    assert not empty, "\n".join(empty)


def test_no_query_of_an_annotation_errs_and_what_happened_is_marked(played):
    marked = {
        query.title
        for query in QUERIES
        if query.annotation
        for view in played.views(query)
        if played.answer(query, view)
    }
    assert marked >= {"High alerts", "Medium alerts", "Low alerts", "Admissions", "Acts of staff"}


def test_a_query_that_is_refused_is_an_error_and_not_an_empty_answer(played):
    view = View(played.trial.begin, played.trial.end)
    for source, text in (("prometheus", "sum by (rate("), ("timeline", "SELECT FROM WHERE")):
        broken = Asked("uid", "panel", "A", text, source, instant=True)
        with pytest.raises(ask.AnswerError, match="panel"):
            played.answer(broken, view)


def value(played: Played, title: str, ref: str = "A", **labels: str) -> float:
    """The newest value of one panel's query."""
    (query,) = (q for q in QUERIES if (q.title, q.ref) == (title, ref) and not q.annotation)
    found = played.answer(query, played.views(query)[0])
    (series,) = (one for one in found if labels.items() <= one.labels.items())
    return series.points[-1][1]


def test_the_panels_say_what_happened_on_the_ward(played):
    monitors = [f"mon-{number}" for number in range(1, COTS + 1)]
    *_, damaged, overdriven, unplugged = monitors
    assert value(played, "Infants") == COTS
    assert value(played, "Workers") == 1
    assert value(played, "Every monitor", "B", monitor=unplugged) > 100
    assert value(played, "Every monitor", "D", monitor=overdriven) > 0.1
    assert value(played, "Every monitor", "D", monitor=damaged) == 0
    assert value(played, "Who needs attention first", "A", bed=f"cot-{COTS}") == 2
    assert value(played, "Alerts", alertname="MonitorSilent", monitor=unplugged) > 0
    assert value(played, "Refused today") > 10


def test_acts_of_the_infant_and_of_its_ward_are_listed_and_no_others(played):
    (query,) = (q for q in QUERIES if q.title == "Acts of staff" and not q.annotation)
    listed = [row[1] for row in played.answer(query, played.views(query)[0])]
    assert sorted(listed) == ["learning paused", "quiet hours set"]


def test_the_variables_have_the_wards_values(played):
    assert played.values("ward") == [WARD]
    assert sorted(played.values("monitor")) == [f"mon-{n}" for n in range(1, COTS + 1)]
    assert sorted(played.values("bed")) == [f"cot-{n}" for n in range(1, COTS + 1)]
