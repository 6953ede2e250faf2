"""An infant's timeline in the terminal: a plot in characters, and a table of its days."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import tzinfo

from rich.console import Group
from rich.table import Table
from rich.text import Text

from streams.board import tight_table
from streams.records.deviation import DeviationRecord
from streams.timeline.acts import Act
from streams.timeline.figures import (
    DEVIANT_SIGMA,
    USUAL_SIGMA,
    Mark,
    drift_times,
    headline,
    is_hourly,
    local,
    sigma_range,
    spans,
)

ROWS = 12
LABEL_WIDTH = 8
# Days at the end that the table lists; the plot shows all of them.
TABLE_SPANS = 14
# The later ones cover the earlier ones where they meet.
GLYPHS = {
    Mark.REFUSED: ("○", "dim"),
    Mark.LEARNED: ("●", "cyan"),
    Mark.HELD: ("◌", "yellow"),
    Mark.UNUSUAL: ("▲", "bold red"),
}
BARS = "▁▂▃▄▅▆▇█"


def chart(
    cries: Sequence[DeviationRecord],
    acts: Sequence[Act],
    width: int,
    zone: tzinfo | None = None,
) -> Group:
    """Draw cries (in time order, at least one) and acts of staff, `width` columns wide."""
    columns = max(20, width - LABEL_WIDTH)
    first = min(cries[0].started_at_ms, *(act.at_ms for act in acts), cries[0].started_at_ms)
    last = max(cries[-1].started_at_ms, *(act.at_ms for act in acts), cries[-1].started_at_ms)
    scale = _Scale(first, last, columns)
    lines = [Text(headline(cries, zone), style="bold"), *_plot(cries, scale)]
    lines += [_minutes_lane(cries, scale), _drift_lane(cries, scale), _acts_lane(acts, scale)]
    lines += [_axis(scale, zone), _legend(), Text()]
    parts = [*lines, _decisions(cries), Text(), _table(cries, zone)]
    if acts:
        parts += [Text(), *(_act_line(act, zone) for act in acts)]
    return Group(*parts)


class _Scale:
    """Which column a moment is in."""

    def __init__(self, first_ms: int, last_ms: int, columns: int) -> None:
        self.first_ms, self.columns = first_ms, columns
        self.length_ms = max(1, last_ms - first_ms)

    def column(self, at_ms: int) -> int:
        return min(self.columns - 1, (at_ms - self.first_ms) * self.columns // self.length_ms)


def _plot(cries: Sequence[DeviationRecord], scale: _Scale) -> Iterable[Text]:
    low, high = sigma_range(cries)

    def row(sigma: float) -> int:
        return min(ROWS - 1, int((high - sigma) * ROWS / (high - low)))

    cells: dict[tuple[int, int], Mark] = {}
    order = list(GLYPHS)
    for cry in cries:
        if cry.sigma is not None:
            cell, mark = (row(cry.sigma), scale.column(cry.started_at_ms)), Mark.of(cry)
            cells[cell] = max(cells.get(cell, mark), mark, key=order.index)
    labels = {row(sigma): sigma for sigma in (high, low)}
    labels |= {row(0): 0, row(USUAL_SIGMA): USUAL_SIGMA, row(-USUAL_SIGMA): -USUAL_SIGMA}
    limit = row(DEVIANT_SIGMA)
    labels[limit] = round(DEVIANT_SIGMA, 1)
    usual = range(row(USUAL_SIGMA), row(-USUAL_SIGMA) + 1)
    for number in range(ROWS):
        sigma = labels.get(number)
        line = Text("" if sigma is None else f"{sigma:+g}σ" if sigma else "0", no_wrap=True)
        line.pad_right(LABEL_WIDTH - line.cell_len - 1)
        line.append("┤" if sigma is not None else "│", "dim")
        for column in range(scale.columns):
            mark = cells.get((number, column))
            if mark is not None:
                line.append(*GLYPHS[mark])
            elif number == limit:
                line.append("┄", "red")
            else:
                line.append("·" if number in usual else " ", "dim green")
        yield line


def _lane(name: str) -> Text:
    line = Text(name, no_wrap=True)
    line.pad_right(LABEL_WIDTH - line.cell_len)
    return line


def _minutes_lane(cries: Sequence[DeviationRecord], scale: _Scale) -> Text:
    seconds: Counter[int] = Counter()
    for cry in cries:
        seconds[scale.column(cry.started_at_ms)] += cry.seconds
    most = max(seconds.values())
    line = _lane("cry min")
    for column in range(scale.columns):
        share = seconds[column] / most if most else 0
        line.append(BARS[min(7, int(8 * share))] if seconds[column] else " ", "cyan")
    return line


def _drift_lane(cries: Sequence[DeviationRecord], scale: _Scale) -> Text:
    drifting: set[int] = set()
    for begin, end in drift_times(cries):
        drifting.update(range(scale.column(begin), scale.column(end) + 1))
    line = _lane("drift")
    for column in range(scale.columns):
        line.append("━" if column in drifting else " ", "bold yellow")
    return line


def _acts_lane(acts: Sequence[Act], scale: _Scale) -> Text:
    there = {scale.column(act.at_ms) for act in acts}
    line = _lane("staff")
    for column in range(scale.columns):
        line.append("◆" if column in there else " ", "magenta")
    return line


def _axis(scale: _Scale, zone: tzinfo | None) -> Text:
    begin = local(scale.first_ms, zone)
    end = local(scale.first_ms + scale.length_ms, zone)
    form = "%d %b %H:%M"
    left, right = begin.strftime(form), end.strftime(form)
    gap = " " * max(1, scale.columns - len(left) - len(right))
    return Text(" " * LABEL_WIDTH + left + gap + right, style="dim", no_wrap=True)


def _legend() -> Text:
    line = Text(" " * LABEL_WIDTH)
    for mark, (glyph, style) in reversed(GLYPHS.items()):
        line.append(glyph, style).append(f" {mark.value}  ", "dim")
    line.append("·", "dim green").append(f" usual, ±{USUAL_SIGMA:g}σ  ", "dim")
    return line.append("┄", "red").append(" 1 in 100 is above", "dim")


def _decisions(cries: Sequence[DeviationRecord]) -> Text:
    line = Text("Gate: ")
    counts = Counter((cry.gate, cry.reason) for cry in cries)
    said = [f"{gate} {n} ({reason})" for (gate, reason), n in counts.most_common()]
    return line.append(", ".join(said))


def _table(cries: Sequence[DeviationRecord], zone: tzinfo | None) -> Table:
    hourly = is_hourly(cries)
    known = [span for span in spans(cries, zone) if span.cries]
    table = tight_table("")
    table.title = None
    table.add_column("hour" if hourly else "day")
    for name in ("cries", "cry min", "median", "unusual", "drift"):
        table.add_column(name, justify="right", no_wrap=True)
    for span in known[-TABLE_SPANS:]:
        drift = "-" if span.drift_sigma is None else f"{span.drift_sigma:.1f}σ"
        table.add_row(
            f"{span.begin:%a %d %b %H:00}" if hourly else f"{span.begin:%a %d %b}",
            str(span.cries),
            f"{span.minutes:.1f}",
            "-" if span.sigma is None else f"{span.sigma:+.1f}σ",
            str(span.unusual),
            Text(drift, "bold yellow" if span.drifting else ""),
        )
    if len(known) > TABLE_SPANS:
        table.caption = f"{len(known) - TABLE_SPANS} earlier ones are only in the plot"
    return table


def _act_line(act: Act, zone: tzinfo | None) -> Text:
    line = Text("◆ ", "magenta")
    line.append(f"{local(act.at_ms, zone):%Y-%m-%d %H:%M}  {act.what}, {act.who}", "default")
    line.append(f": {act.remark}" if act.remark else "", "default")
    return line.append(f" → {act.outcome}" if act.outcome else "", "dim")
