"""Draws a dashboard's panels with matplotlib, from the answers to their queries.

Not Grafana, and not meant to look exactly like it: the same panels in the same places with the
same thresholds, colours and words, so that the documentation can show real data without a browser.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.dates as dates
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import NullFormatter

from grafana.ask import Rows, Series
from grafana.queries import Asked, View, of_panel
from grafana.sheets import Cell, cells
from grafana.style import CLEAR, LOW, MEDIUM
from grafana.values import Looks, legend, written

Answer = Callable[[Asked, View], "list[Series] | Rows"]
COLUMNS, CELL_INCHES = 24, (0.62, 0.42)
# Dark, as Grafana is by default: yellow and cyan cannot be read on white.
GROUND, PAPER, FRAME, INK, FAINT = "#111217", "#181B1F", "#2C3235", "#D8D9DA", "#8E9499"
DARK_INK = "#16191C"
LINES = ("#3871DC", "#5AA454", "#8F3BB8", "#B8860B", "#C4162A", "#37872D", "#6E9FFF", "#A352CC",
         "#806EB7", "#96D98D", "#F2CC0C", "#8AB8FF", "#CA95E5", "#FFA6B0")  # fmt: skip
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


def _placed(page: Mapping, beds: list[str]):
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


def _panel(figure, page: Mapping, panel: Mapping, box, answer: Answer, view: View) -> None:
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
    kinds = {"stat": _stat, "table": _table, "timeseries": _graph, "state-timeline": _lanes,
             "heatmap": _heat, "barchart": _bars}  # fmt: skip
    kinds[panel["type"]](axes, panel, looks, found, view)


def _stat(axes: Axes, panel: Mapping, looks: Looks, found, view: View) -> None:
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
    size = 17 if len(words) < 12 else 13
    axes.text(0.5, 0.58 if len(lines) > 1 else 0.5, words, ha="center", va="center",
              fontsize=size, color=words_colour, weight="bold")  # fmt: skip
    for number, (more, _) in enumerate(lines[1:]):
        axes.text(0.5, 0.22 - 0.2 * number, more, ha="center", va="center", fontsize=10,
                  color=words_colour)  # fmt: skip


def _table(axes: Axes, panel: Mapping, looks: Looks, found, view: View) -> None:
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


def _time_axis(axes: Axes, view: View) -> None:
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (view.begin, view.end))
    axes.set_xlim(dates.date2num(begin), dates.date2num(end))
    locator = dates.AutoDateLocator(minticks=3, maxticks=7, tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=UTC, show_offset=False))


def _moments(points) -> list[float]:
    return [dates.date2num(datetime.fromtimestamp(at, UTC)) for at, _ in points]


def _lines(found) -> list[tuple[str, list[tuple[float, float]]]]:
    """Names and points of all series of a panel."""
    named = []
    for target, answered in found:
        if isinstance(answered, Rows):
            named += answered.over_time()
        else:
            named += [(legend(target, one.labels), one.points) for one in answered]
    return [(name, points) for name, points in named if points]


def _graph(axes: Axes, panel: Mapping, looks: Looks, found, view: View) -> None:
    _time_axis(axes, view)
    lines, style = _lines(found), looks.custom.get("drawStyle", "line")
    steps = [b[0] - a[0] for _, points in lines for a, b in pairwise(points)]
    width = min(steps, default=3600) / 86400
    floor: dict[float, float] = {}
    for number, (name, points) in enumerate(lines):
        colour = looks.fixed(name) or LINES[number % len(LINES)]
        x, y = _moments(points), [value for _, value in points]
        if style == "points":
            axes.plot(x, y, "o", color=colour, markersize=3, label=name)
        elif style == "bars":
            below = [floor.get(at, 0.0) for at in x]
            axes.bar(x, y, 0.9 * width, below, color=colour, label=name, align="edge")
            floor.update({at: value + more for at, value, more in zip(x, y, below, strict=True)})
        else:
            held = looks.custom.get("lineInterpolation") == "stepAfter"
            drawn = "steps-post" if held else "default"
            axes.plot(x, y, color=colour, linewidth=1.1, drawstyle=drawn, label=name)
    if looks.custom.get("scaleDistribution", {}).get("type") == "log" and any(
        value > 0 for _, points in lines for _, value in points
    ):
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, looks.custom.get("axisSoftMin", low)),
                  max(high, looks.custom.get("axisSoftMax", high)))  # fmt: skip
    if looks.custom.get("thresholdsStyle"):
        _bands(axes, looks)
    axes.yaxis.set_major_formatter(lambda value, _: written(value, looks.unit, None, view.end))
    _legend(axes, [name for name, _ in lines])


def _bands(axes: Axes, looks: Looks) -> None:
    low, high = axes.get_ylim()
    edges = [*(step["value"] for step in looks.steps[1:]), math.inf]
    for step, end in zip(looks.steps, edges, strict=True):
        begin = low if step["value"] is None else max(low, step["value"])
        if step["color"] != CLEAR and begin < min(end, high):
            axes.axhspan(begin, min(end, high), color=step["color"], alpha=0.25, linewidth=0)
    axes.set_ylim(low, high)


def _legend(axes: Axes, names: list[str], handles=None) -> None:
    if not names:
        axes.text(0.5, 0.5, "No data", transform=axes.transAxes, ha="center", color=FAINT)
        return
    if not any(names):
        return
    axes.legend(handles=handles, fontsize=6.5, ncols=min(8, len(names)), loc="lower left",
                bbox_to_anchor=(-0.01, 0.985), frameon=False, labelcolor=FAINT,
                handlelength=1.0, columnspacing=1.0, handletextpad=0.4)  # fmt: skip


def _lanes(axes: Axes, panel: Mapping, looks: Looks, found, view: View) -> None:
    _time_axis(axes, view)
    lines = _lines(found)
    shown: dict[str, str] = {}
    for number, (name, points) in enumerate(lines):
        own = looks.of_name(name)
        ends = [at for at, _ in points[1:]] + [view.end]
        for (at, value), end in zip(points, ends, strict=True):
            begin, until = _moments([(at, 0), (end, 0)])
            colour = own.colour(value)
            if colour == CLEAR:
                continue
            shown[own.text(value, view.end)] = colour
            axes.broken_barh([(begin, until - begin)], (number - 0.4, 0.8), color=colour)
    axes.set_yticks(range(len(lines)), [name for name, _ in lines])
    axes.invert_yaxis()
    _legend(axes, list(shown), [Patch(color=colour, label=name) for name, colour in shown.items()])


def _heat(axes: Axes, panel: Mapping, looks: Looks, found, view: View) -> None:
    _time_axis(axes, view)
    series = sorted(found[0][1], key=lambda one: float(one.labels["le"]))
    times = sorted({at for one in series for at, _ in one.points})
    below = dict.fromkeys(times, 0.0)
    grid = []
    for one in series:  # buckets hold those below them too
        here = dict(one.points)
        grid.append([max(0.0, here.get(at, 0.0) - below[at]) for at in times])
        below = {at: here.get(at, below[at]) for at in times}
    axes.pcolormesh(_moments([(at, 0) for at in times]), range(len(series)), grid,
                    cmap="inferno", shading="nearest")  # fmt: skip
    names = [written(float(one.labels["le"]), "s", None, view.end) for one in series]
    axes.set_yticks(range(len(series)), [f"≤ {name}" for name in names])


def _bars(axes: Axes, panel: Mapping, looks: Looks, found, view: View) -> None:
    (_, table), x_field = found[0], panel["options"]["xField"]
    at = table.columns.index(x_field)
    names = [name for name in table.columns if name != x_field]
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        heights = [float(row[table.columns.index(name)]) for row in table.rows]
        places = [place + number * width for place in range(len(heights))]
        axes.bar(places, heights, width, label=name, color=LINES[number], align="edge")
    axes.set_xticks([place + 0.4 for place in range(len(table.rows))],
                    [row[at] for row in table.rows])  # fmt: skip
    axes.yaxis.set_major_formatter(lambda value, _: written(value, looks.unit, None, view.end))
    _legend(axes, names)
