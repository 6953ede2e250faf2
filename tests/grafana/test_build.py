"""The committed dashboards are what the code makes, fit Grafana's schema, and lead somewhere."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.prometheus.alerts import groups
from grafana import build
from grafana.frame import DEFAULT_RUNBOOKS
from grafana.queries import asked, read
from grafana.style import HIGH, LOW, MEDIUM
from streams.alerting.thresholds import THRESHOLDS
from tests.grafana.schema import faults

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PROVISIONING = build.FOLDER.parent / "provisioning"
PAGES = {page["uid"]: page for page in read(build.FOLDER)}
RULES = [rule for group in groups(THRESHOLDS) for rule in group["rules"]]
ALERTS = {rule["alert"] for rule in RULES if "alert" in rule}
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())


def strings(value: object) -> list[str]:
    """Every text anywhere in a JSON value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def test_the_committed_dashboards_are_those_of_the_code():
    assert build.stale() == []


def test_a_dashboard_that_is_older_than_its_code_is_found(tmp_path):
    for name, text in build.texts().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "ward.json").write_text("{}")
    (tmp_path / "pipeline.json").unlink()
    (tmp_path / "forgotten.json").write_text("{}")
    assert build.stale(tmp_path) == ["forgotten.json", "pipeline.json", "ward.json"]


def test_the_runbooks_may_be_elsewhere(tmp_path):
    options = ["--runbooks", "https://wiki.example/vagitus", "--out", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "grafana.build", *options], check=True)
    changed = {path.name: path.read_text() for path in tmp_path.iterdir()}
    default = '"query": "docs/runbooks"'
    for name, text in build.texts().items():
        assert changed[name] != text
        assert changed[name] == text.replace(default, '"query": "https://wiki.example/vagitus"')


@each_page
def test_it_fits_grafanas_schema(page):
    assert faults(page) == []


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda page: page.update(refresh=10), "dashboard.refresh is 10"),
        (lambda page: page["panels"][0].update(titel="x"), "panels[0].titel is not known"),
        (lambda page: page["panels"][0]["gridPos"].update(w="wide"), "grid_pos.w is 'wide'"),
        (lambda page: page["panels"][0]["options"].update(colorMode="red"), "color_mode is 'red'"),
        (lambda page: page["templating"]["list"][0].update(type="choice"), "type_val is 'choice'"),
        (lambda page: page["panels"][5]["links"][0].update(url=3), "panels[5].links is [{"),
    ],
)
def test_what_grafana_does_not_know_is_found(break_it, sentence):
    page = copy.deepcopy(PAGES["vagitus-ward"])
    break_it(page)
    assert [fault for fault in faults(page) if sentence in fault]


@each_page
def test_every_panel_says_what_it_shows_and_has_a_number_of_its_own(page):
    panels = [panel for panel in page["panels"] if panel["type"] != "row"]
    assert all(panel["description"].endswith(".") for panel in panels)
    numbers = [panel["id"] for panel in page["panels"]]
    assert sorted(set(numbers)) == sorted(numbers)


@each_page
def test_panels_lie_side_by_side(page):
    taken: dict[tuple[int, int], str] = {}
    for panel in page["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])):  # fmt: skip
            assert cell not in taken, (panel["title"], taken[cell])
            taken[cell] = panel["title"]


@each_page
def test_links_lead_to_runbooks_of_alerts_and_to_dashboards_that_are_there(page):
    links = [text for text in strings(page) if text.startswith(("/d/", "${runbooks}/"))]
    assert links
    for link in links:
        if link.startswith("/d/"):
            uid, _, query = link.removeprefix("/d/").partition("?")
            variables = {one["name"] for one in PAGES[uid]["templating"]["list"]}
            assert set(re.findall(r"var-(\w+)=", query)) <= variables
        else:
            alert = link.removeprefix("${runbooks}/").removesuffix(".md")
            assert alert in ALERTS | {"${__data.fields.Alert}"}


def test_each_dashboard_is_reached_from_each_other():
    for page in PAGES.values():
        assert "vagitus" in page["tags"]
        assert [link for link in page["links"] if link["tags"] == ["vagitus"]]


def test_the_runbooks_are_where_the_alerts_have_them():
    urls = {rule["annotations"]["runbook_url"] for rule in RULES if "alert" in rule}
    assert urls == {f"{DEFAULT_RUNBOOKS}/{alert}.md" for alert in ALERTS}


def test_every_alert_leads_to_a_dashboard_with_its_variables_and_its_runbook_does():
    for rule in (rule for rule in RULES if "alert" in rule):
        path = rule["annotations"]["dashboard"]
        uid, _, query = path.removeprefix("/d/").partition("?")
        variables = {one["name"] for one in PAGES[uid]["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", query)) <= variables
        runbook = (RUNBOOKS / f"{rule['alert']}.md").read_text()
        assert f"Dashboard: {PAGES[uid]['title']} (`/d/{uid}`)." in runbook


def test_the_colours_of_alarms_mean_priorities_only():
    assert (HIGH, MEDIUM, LOW) == ("#E02F44", "#FADE2A", "#00BCD4")
    for page in PAGES.values():
        named = [c for c in strings(page) if c in ("red", "yellow", "cyan", "orange", "green")]
        assert named == []
        marks = {one["name"]: one["iconColor"] for one in page["annotations"]["list"]}
        assert [marks[f"{words} alerts"] for words in ("High", "Medium", "Low")] == [
            HIGH, MEDIUM, LOW,
        ]  # fmt: skip


def test_what_the_dashboards_ask_of_is_provisioned():
    sources = yaml.safe_load((PROVISIONING / "datasources" / "vagitus.yaml").read_text())
    kinds = {source["type"] for source in sources["datasources"]}
    wanted = {
        variable["query"]
        for page in PAGES.values()
        for variable in page["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert wanted == kinds
    interval = sources["datasources"][0]["jsonData"]["timeInterval"]
    prometheus = (RUNBOOKS.parents[1] / "deploy/prometheus/prometheus.yml").read_text()
    assert interval == yaml.safe_load(prometheus)["global"]["scrape_interval"]
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "vagitus.yaml").read_text())[
        "providers"
    ]
    assert provider["type"] == "file"


@each_page
def test_every_variable_that_is_asked_with_is_one_of_the_dashboard(page):
    known = {variable["name"] for variable in page["templating"]["list"]}
    used = {
        name
        for query in asked(page)
        for name in re.findall(r"\$\{?(\w+)", query.text)
        if not name.startswith("__")
    }
    assert used <= known
    assert json.dumps(page).count("$__rate_interval") == sum(
        query.text.count("$__rate_interval") for query in asked(page)
    )
