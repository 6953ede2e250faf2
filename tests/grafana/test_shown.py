"""What Grafana's own library makes of the answers: tables, words, colours and units.

Grafana itself is not run here. `@grafana/data` is the part of it that turns answers into what
panels draw; npm brings it, once, into the cache.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from grafana import build
from grafana.queries import read
from grafana.style import CALM, CRYING, HIGH, LINE, LOW, MEDIUM

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "grafana-data"
INSTALL_SECONDS = 300
PAGES = {page["uid"]: page for page in read(build.FOLDER)}


@pytest.fixture(scope="module")
def node() -> Path:
    """The folder where node finds Grafana's library; skips, or in CI fails, without npm."""
    wanted = (HERE / "package.json").read_text()
    installed = CACHE / "installed.json"
    if not installed.exists() or installed.read_text() != wanted:
        if shutil.which("npm") is None:
            if os.environ.get("CI") == "true":
                pytest.fail("npm is missing", pytrace=False)
            pytest.skip("npm is missing")
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", CACHE)
        line = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run(line, cwd=CACHE, check=True, timeout=INSTALL_SECONDS)
        installed.write_text(wanted)
    return CACHE


def panel(uid: str, title: str) -> dict:
    return next(one for one in PAGES[uid]["panels"] if one["title"] == title)


def shown(node: Path, panel: dict, frames: list[dict]) -> list[dict]:
    """The frames that are left, each with the names of its fields and its rows as written."""
    done = subprocess.run(
        ["node", str(HERE / "shown.cjs")],
        input=json.dumps({"panel": panel, "frames": frames}),
        env={**os.environ, "NODE_PATH": str(node / "node_modules")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def frame(ref: str, labels: dict[str, list[str]], name: str, values: list[float]) -> dict:
    """An instant answer of Prometheus in the format `table`."""
    times = {"name": "Time", "type": "time", "values": [1_800_000_000_000] * len(values)}
    texts = [{"name": key, "type": "string", "values": found} for key, found in labels.items()]
    numbers = {"name": name, "type": "number", "values": values}
    return {"refId": ref, "fields": [times, *texts, numbers]}


def test_who_needs_attention_is_one_row_a_cot(node):
    table = panel("vagitus-ward", "Who needs attention first")
    cots = {"ward": ["nicu"] * 2, "bed": ["cot-1", "cot-2"], "infant": ["one", "two"]}
    one = {label: found[:1] for label, found in cots.items()}
    values = {"A": [0.0, 3.0], "C": [1.0, 0.0], "D": [0.4, 3.1], "F": [2.0]}
    frames = []
    for target in table["targets"]:
        found = values.get(target["refId"], [1.0, 1.0])
        labels = cots if len(found) == 2 else one
        frames.append(frame(target["refId"], labels, f"Value #{target['refId']}", found))
    (page,) = shown(node, table, frames)
    assert page["names"] == [
        "Cot", "Infant", "Alarm", "Since", "Now", "Deviation", "p-value", "Drift", "Cries learned",
        "Last cry",
    ]  # fmt: skip
    first, second = (dict(zip(page["names"], row, strict=True)) for row in page["rows"])
    assert (first["Cot"]["text"], first["Infant"]["text"]) == ("cot-1", "one")
    assert (second["Alarm"]["text"], second["Alarm"]["color"]) == ("High", HIGH)
    assert (first["Now"]["text"], first["Now"]["color"]) == ("crying", CRYING)
    assert (second["Deviation"]["text"], second["Deviation"]["color"]) == ("3.1 σ", HIGH)
    assert (first["Drift"]["text"], second["Drift"]["text"]) == ("2.0 σ", "")


def test_an_alert_without_an_infant_has_a_row_too(node):
    table = panel("vagitus-ward", "Alerts")
    labels = {
        "alertname": ["MonitorSilent", "PipelineLagging"], "severity": ["medium", "medium"],
        "bed": ["cot-1", ""], "infant": ["one", ""], "monitor": ["mon-1", ""],
    }  # fmt: skip
    (page,) = shown(node, table, [frame("A", labels, "Value", [1.0, 2.0])])
    assert page["names"] == ["Alert", "Priority", "Cot", "Infant", "Monitor", "Since"]
    assert [row[0]["text"] for row in page["rows"]] == ["MonitorSilent", "PipelineLagging"]


def test_a_monitor_that_was_never_heard_has_a_row_too(node):
    table = panel("vagitus-monitors", "Every monitor")
    both, heard = {"monitor": ["mon-1", "mon-2"]}, {"monitor": ["mon-1"]}
    places = both | {"bed": ["cot-1", "cot-2"], "infant": ["one", "two"]}
    frames = []
    for target in table["targets"]:
        ref = target["refId"]
        labels = places if ref == table["targets"][-1]["refId"] else heard
        numbers = [1.0] * len(labels["monitor"])
        frames.append(frame(ref, labels, f"Value #{ref}", numbers))
    (page,) = shown(node, table, frames)
    assert page["names"][:4] == ["Monitor", "Cot", "Infant", "Heard"]
    known, unknown = (dict(zip(page["names"], row, strict=True)) for row in page["rows"])
    assert (known["Monitor"]["text"], known["Unheard for"]["text"]) == ("mon-1", "1 s")
    assert (unknown["Monitor"]["text"], unknown["Cot"]["text"]) == ("mon-2", "cot-2")
    assert unknown["Unheard for"]["text"] == ""


@pytest.mark.parametrize(
    ("value", "text", "colour"),
    [
        (3, "High alarm", HIGH),
        (2, "Medium alarm", MEDIUM),
        (1, "Low alarm", LOW),
        (0.5, "crying", CRYING),
        (0, "quiet", CALM),
    ],
)
def test_a_cot_says_its_state_in_the_colour_of_its_priority(node, value, text, colour):
    (page,) = shown(node, panel("vagitus-ward", "$bed"), [frame("A", {}, "one", [value])])
    assert page["rows"][0][1] == {"text": text, "color": colour}


@pytest.mark.parametrize(("value", "colour"), [(0, LINE), (1, HIGH), (5, HIGH)])
def test_a_count_of_alarms_has_their_colour_if_there_are_any(node, value, colour):
    tile = panel("vagitus-ward", "High alarms")
    (page,) = shown(node, tile, [frame("A", {}, "Value", [value])])
    assert page["rows"][0][1]["color"] == colour
