"""The pictures show a dashboard's panels with the values, words and colours of Grafana."""

import math
from datetime import UTC, datetime

import matplotlib.image
import pytest

from grafana import build, drawing, plots
from grafana.ask import Rows, Series
from grafana.queries import Asked, View, read
from grafana.sheets import cells
from grafana.style import CLEAR, CRYING, HIGH, MEDIUM
from grafana.values import Looks, legend, written

NOW = 1_800_000_000.0
VIEW = View(NOW - 600, NOW, {"ward": "nicu", "infant": "infant-1", "monitor": ["mon-1"]})
PAGES = {page["uid"]: page for page in read(build.FOLDER)}


def panel(uid: str, title: str) -> dict:
    return next(one for one in PAGES[uid]["panels"] if one["title"] == title)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (2.345, "suffix:σ", "2.35 σ"),
        (0.0123, "percentunit", "1.2%"),
        (90, "s", "90 s"),
        (150, "s", "2.5 min"),
        (0.0042, "s", "4.2 ms"),
        (90, "m", "90 min"),
        (1000 * (NOW - 7200), "dateTimeFromNow", "2 h ago"),
        (3 * 2**20, "bytes", "3 MiB"),
        (1234.4, "none", "1234"),
        (math.nan, "none", "–"),
        (math.inf, "s", "∞"),
    ],
)
def test_a_value_is_written_in_its_unit(value, unit, words):
    assert written(value, unit, None, NOW) == words


def test_a_series_is_named_by_its_labels():
    labels = {"__name__": "x", "bed": "cot-1", "infant": "infant-1"}
    assert legend({"legendFormat": "{{bed}}: {{infant}}"}, labels) == "cot-1: infant-1"
    assert legend({"legendFormat": "__auto"}, labels) == "cot-1, infant-1"


def test_a_cot_says_its_state_in_the_colour_of_its_priority():
    looks = Looks(panel("vagitus-ward", "$bed"))
    shown = {value: (looks.text(value, NOW), looks.colour(value)) for value in (3.0, 2.0, 0.5)}
    assert shown == {
        3.0: ("High alarm", HIGH),
        2.0: ("Medium alarm", MEDIUM),
        0.5: ("crying", CRYING),
    }
    assert looks.text(None, NOW) == "NOT WATCHED"
    assert looks.of_query("B").text(1000 * (NOW - 180), NOW) == "3 min ago"


def test_who_needs_attention_first_comes_first():
    table = panel("vagitus-ward", "Who needs attention first")
    cots = {
        "cot-1": (0.0, NOW - 50, 1.0),
        "cot-2": (3.0, NOW - 10, 2.9),
        "cot-3": (3.0, NOW - 99, None),
    }
    answers = []
    for letter in "ABCDEFGH":
        column = {"A": 0, "B": 1, "D": 2}.get(letter)
        rows = [(bed, 0.0 if column is None else values[column]) for bed, values in cots.items()]
        answers.append([
            Series({"ward": "nicu", "bed": bed, "infant": f"of {bed}"},
                   [(NOW, 1000 * value if letter == "B" else value)])
            for bed, value in rows if value is not None
        ])  # fmt: skip
    heading, *lines = cells(table, Looks(table), answers, VIEW)
    assert [cell.text for cell in heading[:4]] == ["Cot", "Infant", "Alarm", "Since"]
    assert [line[0].text for line in lines] == ["cot-3", "cot-2", "cot-1"]
    headings = [cell.text for cell in heading]
    by_cot = {line[0].text: dict(zip(headings, line, strict=True)) for line in lines}
    assert (by_cot["cot-2"]["Alarm"].text, by_cot["cot-2"]["Alarm"].colour) == ("High", HIGH)
    assert by_cot["cot-2"]["Deviation"].colour == HIGH
    assert by_cot["cot-1"]["Deviation"].colour == CLEAR
    assert by_cot["cot-3"]["Deviation"].text == ""


def answer(query: Asked, view: View) -> list[Series] | Rows:
    """Something for every query, of the shape that it asks for."""
    times = [view.end - 300, view.end - 100]
    if query.source == "timeline":
        when = [datetime.fromtimestamp(at, UTC) for at in times]
        if "AS hour" in query.text.partition("SELECT lpad")[2]:
            return Rows(["hour", "a usual day", "the last 24 h"], [("00", 1.0, 2.0)])
        if " AS metric" in query.text:
            return Rows(["time", "metric", "cries"], [(at, "accepted", 2) for at in when])
        return Rows(["time", "learned", "unusual"], [(at, 0.5, None) for at in when])
    labels = {"ward": "nicu", "bed": "cot-1", "infant": "infant-1", "monitor": "mon-1"}
    if "sum by (le) (increase" in query.text:
        return [Series({"le": le}, [(at, 1.0) for at in times]) for le in ("0.1", "+Inf")]
    return [Series(labels, [(at, 0.5) for at in times])]


@pytest.mark.parametrize("uid", PAGES)
def test_every_dashboard_can_be_drawn(uid, tmp_path):
    path = tmp_path / "page.png"
    drawing.draw(PAGES[uid], answer, VIEW, ["cot-1", "cot-2"], path)
    picture = matplotlib.image.imread(path)
    height, width, _ = picture.shape
    assert width == 1488
    assert height > 1000
    # More than frames: words, lines and grounds.
    assert len({tuple(pixel) for row in picture[::4, ::4] for pixel in row}) > 30


def test_a_quantile_of_nothing_is_no_line():
    target = {"legendFormat": "p95"}
    found = [(target, [Series({}, [(NOW, math.nan)]), Series({}, [(NOW, 2.0), (NOW, math.nan)])])]
    assert plots.lines_of(found) == [("p95", [(NOW, 2.0)])]


def test_a_panel_without_an_answer_is_another_picture_than_one_of_zeros(tmp_path):
    page = {**PAGES["vagitus-pipeline"], "panels": [panel("vagitus-pipeline", "Refused")]}
    zeros = [Series({"reason": "unreadable"}, [(NOW - 300, 0.0), (NOW - 100, 0.0)])]
    pictures = []
    for found in ([], zeros):
        path = tmp_path / f"{len(found)}.png"
        drawing.draw(page, lambda query, view, found=found: found, VIEW, [], path)
        pictures.append(path.read_bytes())
    assert pictures[0] != pictures[1]
