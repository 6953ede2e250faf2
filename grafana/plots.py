"""The plots of panels: lines, points and bars over time, lanes of states, histograms."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise

import matplotlib.dates as dates
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from grafana.ask import Rows, Series
from grafana.queries import View
from grafana.style import CLEAR
from grafana.values import Looks, legend, written

Found = list[tuple[Mapping, "list[Series] | Rows"]]
"""A panel's queries as JSON gives them, each with its answer."""
FAINT = "#8E9499"
LINES = ("#3871DC", "#5AA454", "#8F3BB8", "#B8860B", "#C4162A", "#37872D", "#6E9FFF", "#A352CC",
         "#806EB7", "#96D98D", "#F2CC0C", "#8AB8FF", "#CA95E5", "#FFA6B0")  # fmt: skip


def _time_axis(axes: Axes, view: View) -> None:
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (view.begin, view.end))
    axes.set_xlim(dates.date2num(begin), dates.date2num(end))
    locator = dates.AutoDateLocator(minticks=3, maxticks=7, tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=UTC, show_offset=False))


def _moments(points: Iterable[tuple[float, float]]) -> list[float]:
    return [dates.date2num(datetime.fromtimestamp(at, UTC)) for at, _ in points]


def lines_of(found: Found) -> list[tuple[str, list[tuple[float, float]]]]:
    """Names and points of all series of a panel."""
    named = []
    for target, answered in found:
        if isinstance(answered, Rows):
            named += answered.over_time()
        else:
            named += [(legend(target, one.labels), one.points) for one in answered]
    # A quantile of nothing is not a number, and nothing to draw.
    known = [(name, [p for p in points if math.isfinite(p[1])]) for name, points in named]
    return [(name, points) for name, points in known if points]


def graph(axes: Axes, panel: Mapping, looks: Looks, found: Found, view: View) -> None:
    """Lines, points or stacked bars over time, on a ground of thresholds."""
    _time_axis(axes, view)
    lines, style = lines_of(found), looks.custom.get("drawStyle", "line")
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


def _legend(axes: Axes, names: list[str], handles: list[Patch] | None = None) -> None:
    if not names:
        axes.text(0.5, 0.5, "No data", transform=axes.transAxes, ha="center", color=FAINT)
        return
    if not any(names):
        return
    axes.legend(handles=handles, fontsize=6.5, ncols=min(8, len(names)), loc="lower left",
                bbox_to_anchor=(-0.01, 0.985), frameon=False, labelcolor=FAINT,
                handlelength=1.0, columnspacing=1.0, handletextpad=0.4)  # fmt: skip


def lanes(axes: Axes, panel: Mapping, looks: Looks, found: Found, view: View) -> None:
    """A lane for each series, coloured by its state."""
    _time_axis(axes, view)
    lines = lines_of(found)
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


def heat(axes: Axes, panel: Mapping, looks: Looks, found: Found, view: View) -> None:
    """A histogram over time."""
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


def bars(axes: Axes, panel: Mapping, looks: Looks, found: Found, view: View) -> None:
    """Bars by the rows of a table."""
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
