"""Draws a dashboard's panels with matplotlib, from the answers to their queries.

Not Grafana, and not meant to look exactly like it: the same panels in the same places with the
same thresholds, colours and words, so that the documentation can show real data without a browser.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from grafana.ask import Rows, Series
from grafana.plots import FAINT, Found, bars, graph, heat, lanes
from grafana.queries import Asked, View, of_panel
from grafana.sheets import Cell, cells
from grafana.style import CLEAR, LOW, MEDIUM
from grafana.values import Looks

Answer = Callable[[Asked, View], "list[Series] | Rows"]
Box = tuple[float, float, float, float]
"""Left, low, width and height, as shares of the picture."""
COLUMNS, CELL_INCHES = 24, (0.62, 0.42)
# Dark, as Grafana is by default: yellow and cyan cannot be read on white.
GROUND, PAPER, FRAME, INK = "#111217", "#181B1F", "#2C3235", "#D8D9DA"
PALETTE = 128
# Of a single figure: in points, and how wide a bold letter is at a size of one.
LARGEST_WORDS, LETTER, POINTS_AN_INCH = 17, 0.7, 72
DARK_INK = "#16191C"
NOTE = "drawn by Vagitus from Prometheus' data, not a Grafana screenshot"


def draw(page: Mapping, answer: Answer, view: View, beds: list[str], path: Path) -> None:
    """Draw one dashboard into a file.

    Args:
        page: the dashboard as JSON gives it.
        answer: asks one query.
        view: the time in sight and the values of the variables.
        beds: the values of the variable by which a panel is repeated.
        path: of the picture.
    """
    panels = list(_placed(page, beds))
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel, _ in panels) + 2
    figure = plt.figure(figsize=(COLUMNS * CELL_INCHES[0], rows * CELL_INCHES[1]), dpi=100)
    figure.patch.set_facecolor(GROUND)
    title = f"{page['title']}: {page['description']}"
    figure.text(0.005, 1 - 0.7 / rows, title, color=INK, fontsize=12, weight="bold", va="center")
    begin, end = (f"{datetime.fromtimestamp(t, UTC):%d %b %H:%M}" for t in (view.begin, view.end))
    note = f"{begin} to {end} UTC; {NOTE}"
    figure.text(0.995, 0.4 / rows, note, color=FAINT, fontsize=9, ha="right", va="center")
    for panel, bed in panels:
        at = panel["gridPos"]
        box = (at["x"] / COLUMNS, 1 - (at["y"] + at["h"] + 1.2) / rows, at["w"] / COLUMNS,
               at["h"] / rows)  # fmt: skip
        chosen = replace(view, variables={**view.variables, "bed": bed})
        _panel(figure, page, panel, box, answer, chosen)
    figure.savefig(path, facecolor=figure.get_facecolor())
    plt.close(figure)
    with Image.open(path) as picture:  # a third of the size, and nobody sees it
        few_colours = picture.convert("RGB").quantize(PALETTE)
    few_colours.save(path, optimize=True)


def _placed(page: Mapping, beds: list[str]) -> Iterator[tuple[dict, str]]:
    """Panels with their places, repeated ones once for each bed."""
    lower = 0
    for panel in page["panels"]:
        at = dict(panel["gridPos"], y=panel["gridPos"]["y"] + lower)
        if not panel.get("repeat"):
            yield {**panel, "gridPos": at}, ""
            continue
        a_row = int(panel["maxPerRow"])
        for number, bed in enumerate(beds):
            row, column = divmod(number, a_row)
            place = dict(at, w=COLUMNS // a_row, x=column * COLUMNS // a_row)
            place["y"] += row * at["h"]
            yield {**panel, "gridPos": place, "title": bed}, bed
        lower += (math.ceil(len(beds) / a_row) - 1) * at["h"]


def _panel(
    figure: Figure, page: Mapping, panel: Mapping, box: Box, answer: Answer, view: View
) -> None:
    left, low, width, height = box
    inch_x, inch_y = 1 / figure.get_figwidth(), 1 / figure.get_figheight()
    if panel["type"] == "row":
        figure.text(left + 0.005, low + height / 2, panel["title"], color=INK, fontsize=11,
                    weight="bold", va="center")  # fmt: skip
        return
    looks = Looks(panel)
    margin = 0.05
    outer = (left + margin * inch_x, low + margin * inch_y, width - 2 * margin * inch_x,
             height - 2 * margin * inch_y)  # fmt: skip
    figure.patches.append(
        Rectangle(outer[:2], *outer[2:], transform=figure.transFigure, facecolor=PAPER,
                  edgecolor=FRAME, linewidth=0.8, zorder=-1)
    )  # fmt: skip
    figure.text(left + 0.12 * inch_x, low + height - 0.2 * inch_y, panel["title"], color=INK,
                fontsize=9, weight="bold", va="center")  # fmt: skip
    queries = list(of_panel(page, panel))
    answers = [answer(query, view) for query in queries]
    found = list(zip(panel["targets"], answers, strict=True))
    view = replace(view, begin=view.begin_of(queries[0]))
    plain = panel["type"] in ("stat", "table")
    sides = (0.1, 0.1, 0.2, 0.42) if plain else (0.55, 0.3, 0.7, 0.78)
    axes = figure.add_axes(
        (left + sides[0] * inch_x, low + sides[1] * inch_y, width - sides[2] * inch_x,
         height - sides[3] * inch_y)
    )  # fmt: skip
    axes.set_facecolor(PAPER)
    axes.tick_params(labelsize=7, colors=FAINT, length=2)
    for side in axes.spines.values():
        side.set_color(FRAME)
    kinds = {"stat": _stat, "table": _table, "timeseries": graph, "state-timeline": lanes,
             "heatmap": heat, "barchart": bars}  # fmt: skip
    kinds[panel["type"]](axes, panel, looks, found, view)


def _stat(axes: Axes, panel: Mapping, looks: Looks, found: Found, view: View) -> None:
    axes.axis("off")
    lines = []
    for target, answered in found:
        own = looks.of_query(target["refId"])
        point = answered[0].points[-1][1] if answered else None
        lines.append((own.text(point, view.end), own.colour(point)))
    words, colour = lines[0]
    ground = panel["options"]["colorMode"] == "background" and colour != CLEAR
    if ground:
        axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, facecolor=colour))
        words_colour = _ink_on(colour)
    else:
        words_colour = INK if colour == CLEAR else colour
    points = axes.get_window_extent().width * POINTS_AN_INCH / axes.figure.dpi
    size = min(LARGEST_WORDS, points / (LETTER * max(1, len(words))))
    axes.text(0.5, 0.58 if len(lines) > 1 else 0.5, words, ha="center", va="center",
              fontsize=size, color=words_colour, weight="bold")  # fmt: skip
    for number, (more, _) in enumerate(lines[1:]):
        axes.text(0.5, 0.22 - 0.2 * number, more, ha="center", va="center", fontsize=10,
                  color=words_colour)  # fmt: skip


def _table(axes: Axes, panel: Mapping, looks: Looks, found: Found, view: View) -> None:
    axes.axis("off")
    table = cells(panel, looks, [answered for _, answered in found], view)
    box = axes.get_window_extent()
    rows = int(box.height / 100 / 0.235)
    shown = table[:rows]
    widths = [max(len(row[column].text) for row in shown) + 2 for column in range(len(table[0]))]
    total = sum(widths)
    for number, row in enumerate(shown):
        at = 0.0
        for width, cell in zip(widths, row, strict=True):
            _cell(axes, cell, at / total, width / total, 1 - (number + 1) / rows, 1 / rows,
                  heading=number == 0)  # fmt: skip
            at += width


def _cell(axes: Axes, cell: Cell, x: float, width: float, y: float, height: float, *,
          heading: bool) -> None:  # fmt: skip
    ground = cell.colour not in ("", CLEAR)
    if ground:
        axes.add_patch(Rectangle((x + 0.003, y + 0.1 * height), width - 0.006, 0.8 * height,
                                 transform=axes.transAxes, facecolor=cell.colour))  # fmt: skip
    axes.text(x + 0.008, y + height / 2, cell.text, transform=axes.transAxes, va="center",
              fontsize=8, weight="bold" if heading else "normal",
              color=_ink_on(cell.colour) if ground else INK)  # fmt: skip


def _ink_on(colour: str) -> str:
    return DARK_INK if colour in (MEDIUM, LOW) else "#FFFFFF"
