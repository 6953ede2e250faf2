"""Prometheus' rules: up to date, tested by promtool, each alert with its texts and its runbook."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from prometheus_client import CollectorRegistry

from deploy.prometheus.write_rules import RULES, pages
from streams.alerting.metrics import AlertMetrics
from streams.alerting.notices import Severity
from streams.alerting.thresholds import Thresholds
from streams.cli import cli
from streams.metrics.shown import Metrics
from tests.deploy.servers import PROJECT

TESTS = RULES.parent / "tests"
RUNBOOKS = PROJECT / "docs" / "runbooks"
SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation")
PATIENTS = {"ward", "bed", "infant"}
# Of Prometheus itself, of Faust and of the process: made by them, not by us.
FOREIGN = ("vagitus_faust_",)


def alerts() -> list[dict]:
    return [rule for rule in rules() if "alert" in rule]


def rules() -> list[dict]:
    return [
        rule
        for page in pages().values()
        for group in yaml.safe_load(page)["groups"]
        for rule in group["rules"]
    ]


def names() -> list[str]:
    return [rule["alert"] for rule in alerts()]


def run(*arguments: object) -> None:
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, cwd=TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_committed_rules_are_those_that_the_thresholds_make():
    committed = {path.name: path.read_text() for path in RULES.glob("*")}
    assert committed == pages(), "run: python -m deploy.prometheus.write_rules"


def test_another_threshold_makes_other_rules():
    changed = pages(Thresholds(silent_after=7))["monitors.yaml"]
    assert changed != pages()["monitors.yaml"]
    assert re.search(r"> 7$", changed, re.MULTILINE)


def test_promtool_accepts_the_rules_and_the_configuration(promtool):
    run(promtool, "check", "rules", *RULES.glob("*.yaml"))
    run(promtool, "check", "config", RULES.parent / "prometheus.yml")


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_each_alert_waits_fires_resolves_and_bears_missing_data(promtool, path):
    run(promtool, "test", "rules", path)


@pytest.mark.parametrize("name", names())
def test_each_alert_has_tests_that_see_it_fire_and_not_fire(name):
    seen = {True: 0, False: 0}
    for path in TESTS.glob("*.yaml"):
        for test in yaml.safe_load(path.read_text())["tests"]:
            if not test["name"].startswith(f"{name} - "):
                continue
            for case in test["promql_expr_test"]:
                seen[bool(case["exp_samples"])] += 1
    # Watchdog never does not fire. All others: not yet, resolved, and without data.
    assert seen[True] >= 1
    assert seen[False] >= (0 if name == "Watchdog" else 3)


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_each_alert_says_what_where_and_what_to_do(alert):
    texts, labels = alert["annotations"], alert["labels"]
    assert labels["severity"] in set(Severity)
    assert texts["summary"] and texts["description"]
    assert texts["runbook_url"] == f"docs/runbooks/{alert['alert']}.md"
    if set(re.findall(r"\w+", alert["expr"])) >= PATIENTS:
        for label in PATIENTS:
            assert f"$labels.{label}" in texts["summary"] + texts["description"]


def test_each_alert_has_a_runbook_and_each_runbook_an_alert():
    assert sorted(path.stem for path in RUNBOOKS.glob("*.md")) == sorted(names())


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_each_runbook_has_its_sections_and_its_alert_s_priority(alert):
    page = (RUNBOOKS / f"{alert['alert']}.md").read_text()
    assert page.startswith(f"# {alert['alert']}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(SECTIONS)
    assert f"**{alert['labels']['severity'].capitalize()}" in page
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (RUNBOOKS / link).exists()


def commands(page: str) -> list[str]:
    """Every `vagitus …` of a page, in blocks and in sentences."""
    blocks = re.findall(r"^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(vagitus [^`]+)`", page)
    return [line.partition("|")[0] for line in lines if line.startswith("vagitus ")]


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_the_commands_of_a_runbook_exist_and_take_its_options(path):
    for line in commands(path.read_text()):
        command, words = cli, shlex.split(line)[1:]
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
            assert command is not None, line
        known = {name for option in command.params for name in option.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_rules_and_runbooks_name_only_series_that_there_are():
    registry = CollectorRegistry()
    Metrics(registry), AlertMetrics(registry)
    known = set()
    for family in registry.collect():
        known |= {family.name, f"{family.name}_total", f"{family.name}_bucket"}
    text = "\n".join(rule["expr"] for rule in rules())
    for path in RUNBOOKS.glob("*.md"):
        text += "\n".join(["", *re.findall(r"```promql\n(.*?)```", path.read_text(), re.DOTALL)])
    named = set(re.findall(r"(?<![\w:])vagitus_\w+", text))
    assert {name for name in named if not name.startswith(FOREIGN)} <= known


def test_the_queries_of_the_runbooks_can_be_read(promtool, tmp_path: Path):
    queries = []
    for path in RUNBOOKS.glob("*.md"):
        for block in re.findall(r"```promql\n(.*?)```", path.read_text(), re.DOTALL):
            queries += block.splitlines()
    listed = [{"record": f"query{i}", "expr": query} for i, query in enumerate(queries)]
    page = tmp_path / "queries.yaml"
    page.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": listed}]}))
    run(promtool, "check", "rules", "--lint=none", page)
