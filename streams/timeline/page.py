"""An infant's timeline as one HTML page that needs nothing else: no script, no font, no network.

Drawn as SVG by hand rather than with a plotting library: the page then weighs some kilobytes, is
sharp at every size, can be read aloud, and costs the runtime image nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from html import escape

from streams.records.deviation import DeviationRecord
from streams.timeline.acts import Act
from streams.timeline.figures import (
    DEVIANT_SIGMA,
    USUAL_SIGMA,
    Mark,
    Span,
    drift_times,
    headline,
    is_hourly,
    local,
    sigma_range,
    spans,
)

WIDTH, LEFT, RIGHT = 960, 56, 16
PLOT_TOP, PLOT_BOTTOM = 16, 300
BARS_TOP, BARS_BOTTOM = 340, 440
HEIGHT = 470
TIME_TICKS = 8
# Okabe and Ito's colours, told apart by every eye; the shapes differ too.
STYLE = """
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --faint: #8a8a8a; }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --paper: #16181b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
svg { width: 100%; height: auto; font-size: 12px; fill: var(--ink); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem .9rem .15rem 0; text-align: right; }
td:first-child, th:first-child { text-align: left; }
th { font-weight: 600; border-bottom: 1px solid var(--faint); }
.note { color: var(--faint); font-size: .9rem; }
.band { fill: #009e73; opacity: .13; } .limit { stroke: #d55e00; stroke-dasharray: 6 4; }
.grid { stroke: var(--faint); opacity: .35; } .drifting { fill: #e69f00; opacity: .22; }
.driftline { fill: none; stroke: #e69f00; stroke-width: 2; }
.act { stroke: #cc79a7; stroke-width: 2; }
.learned { fill: #0072b2; } .refused { fill: none; stroke: var(--faint); }
.held { fill: none; stroke: #0072b2; }
.unusual { fill: #d55e00; } .bar { fill: #56b4e9; }
"""
LEGEND = (
    ("unusual", "unusual for this infant"),
    ("learned", "learned from"),
    ("held", "held back, to be learned from if usual ones follow"),
    ("refused", "not fit to learn from"),
)


def page(cries: Sequence[DeviationRecord], acts: Sequence[Act], zone: tzinfo | None = None) -> str:
    """The page of cries (in time order, at least one) and acts of staff."""
    title = escape(cries[-1].infant)
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title} · Vagitus</title><style>{STYLE}</style></head><body>",
            f"<h1>{title}</h1><p>{escape(headline(cries, zone))}</p>",
            _drawing(cries, acts, zone),
            _legend(),
            "<h2>What the gate decided</h2>",
            _table(("decision", "reason", "cries"), _decisions(cries)),
            *_acts(acts, zone),
            f"<h2>By {'hour' if is_hourly(cries) else 'day'}</h2>",
            _table(
                ("", "cries", "minutes", "median", "unusual", "drift"),
                (_cells(span, is_hourly(cries)) for span in spans(cries, zone) if span.cries),
            ),
            '<p class="note">Vagitus supports staff. It is not a medical device and diagnoses '
            "nothing.</p></body></html>",
        ]
    )


class _Axes:
    """From moments and sigmas to places on the drawing."""

    def __init__(self, cries: Sequence[DeviationRecord], acts: Sequence[Act]) -> None:
        moments = [cries[0].started_at_ms, cries[-1].started_at_ms, *(act.at_ms for act in acts)]
        self.first_ms, self.last_ms = min(moments), max(moments)
        self.low, self.high = sigma_range(cries)

    def x(self, at_ms: float) -> float:
        share = (at_ms - self.first_ms) / max(1, self.last_ms - self.first_ms)
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)

    def y(self, sigma: float) -> float:
        share = (self.high - min(self.high, sigma)) / (self.high - self.low)
        return PLOT_TOP + share * (PLOT_BOTTOM - PLOT_TOP)


def _drawing(cries: Sequence[DeviationRecord], acts: Sequence[Act], zone: tzinfo | None) -> str:
    axes = _Axes(cries, acts)
    label = escape(f"Deviation and minutes of crying: {headline(cries, zone)}")
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">']
    parts += [*_bands(axes), *_times(cries, axes, zone), *_drift(cries, axes)]
    parts += [_point(cry, axes, zone) for cry in cries if cry.sigma is not None]
    parts += [_act_line(act, axes, zone) for act in acts]
    parts += [*_bars(cries, axes, zone), "</svg>"]
    return "\n".join(parts)


def _bands(axes: _Axes) -> Iterable[str]:
    top, bottom = axes.y(USUAL_SIGMA), axes.y(-USUAL_SIGMA)
    yield _box("band", LEFT, top, WIDTH - LEFT - RIGHT, bottom - top)
    step = 1 if axes.high - axes.low <= 12 else 1 + (axes.high - axes.low) // 12
    for sigma in range(axes.low, axes.high + 1, step):
        yield _line("grid", LEFT, axes.y(sigma), WIDTH - RIGHT, axes.y(sigma))
        yield _text(LEFT - 8, axes.y(sigma) + 4, f"{sigma:+d}σ" if sigma else "0", "end")
    y = axes.y(DEVIANT_SIGMA)
    yield _line("limit", LEFT, y, WIDTH - RIGHT, y)
    yield _text(LEFT + 4, y - 5, "one usual cry in a hundred is above", "start")


def _times(cries: Sequence[DeviationRecord], axes: _Axes, zone: tzinfo | None) -> Iterable[str]:
    form = "%d %b %H:%M" if is_hourly(cries) else "%d %b"
    found = spans(cries, zone)
    # The first hour or day began before the drawing does.
    for span in (found[1:] or found)[:: -(-len(found) // TIME_TICKS)]:
        x = axes.x(_ms_after(local(axes.first_ms, zone), span.begin, axes))
        anchor = "end" if x > WIDTH - 2 * LEFT else "start"
        yield _line("grid", x, PLOT_TOP, x, PLOT_BOTTOM + 5)
        yield _text(x, PLOT_BOTTOM + 19, f"{span.begin:{form}}", anchor)


def _drift(cries: Sequence[DeviationRecord], axes: _Axes) -> Iterable[str]:
    for begin, end in drift_times(cries):
        x = axes.x(begin)
        yield _box("drifting", x, PLOT_TOP, max(2.0, axes.x(end) - x), PLOT_BOTTOM - PLOT_TOP)
    places = [
        f"{axes.x(cry.started_at_ms):.1f},{axes.y(cry.drift_sigma):.1f}"
        for cry in cries
        if cry.drift_sigma is not None
    ]
    if places:
        yield f'<polyline class="driftline" points="{" ".join(places)}"/>'


def _point(cry: DeviationRecord, axes: _Axes, zone: tzinfo | None) -> str:
    x, y, mark = axes.x(cry.started_at_ms), axes.y(cry.sigma or 0.0), Mark.of(cry)
    words = (
        f"{local(cry.started_at_ms, zone):%Y-%m-%d %H:%M:%S}, {cry.seconds:g} s, "
        f"{cry.sigma:+.1f}σ, p {cry.p_value if cry.p_value is not None else '-'}: "
        f"{cry.gate} ({cry.reason})"
    )
    return f"<g>{_shape(mark, x, y)}<title>{escape(words)}</title></g>"


def _shape(mark: str, x: float, y: float) -> str:
    if mark == Mark.UNUSUAL:
        return f'<path class="{mark}" d="M{x:.1f} {y - 6:.1f}l5.5 10h-11z"/>'
    return f'<circle class="{mark}" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>'


def _act_line(act: Act, axes: _Axes, zone: tzinfo | None) -> str:
    x = axes.x(act.at_ms)
    words = escape(f"{local(act.at_ms, zone):%Y-%m-%d %H:%M} {act.what}, {act.who}: {act.remark}")
    line = _line("act", x, PLOT_TOP, x, PLOT_BOTTOM)
    return f"<g>{line}<title>{words}</title></g>"


def _bars(cries: Sequence[DeviationRecord], axes: _Axes, zone: tzinfo | None) -> Iterable[str]:
    hourly = is_hourly(cries)
    length = timedelta(hours=1) if hourly else timedelta(days=1)
    found = spans(cries, zone)
    most = max(span.minutes for span in found)
    begin, end = local(axes.first_ms, zone), local(axes.last_ms, zone)
    unit = "hour" if hourly else "day"
    yield _text(LEFT, BARS_TOP - 6, f"Minutes of crying, by {unit}", "start")
    yield _text(LEFT - 8, BARS_TOP + 10, f"{most:.1f}", "end")
    yield _line("grid", LEFT, BARS_BOTTOM, WIDTH - RIGHT, BARS_BOTTOM)
    for span in found:
        x = axes.x(_ms_after(begin, span.begin, axes))
        width = axes.x(_ms_after(begin, min(end, span.begin + length), axes)) - x
        height = span.minutes / most * (BARS_BOTTOM - BARS_TOP) if most else 0.0
        box = _box("bar", x, BARS_BOTTOM - height, max(1.0, width - 1), height)
        words = f"{span.begin:%Y-%m-%d %H:%M}: {span.minutes:.1f} min, {span.cries} cries"
        yield f"<g>{box}<title>{escape(words)}</title></g>"


def _ms_after(begin: datetime, moment: datetime, axes: _Axes) -> float:
    return axes.first_ms + (moment - begin) / timedelta(milliseconds=1)


def _legend() -> str:
    shapes = (
        f'<svg style="width:1em" viewBox="0 0 14 14">{_shape(name, 7, 8)}</svg> {words}'
        for name, words in LEGEND
    )
    return (
        f'<p class="note">{" &emsp; ".join(shapes)}<br>Green: usual, ±{USUAL_SIGMA:g}σ. Orange: '
        "how far recent cries are from those after admission; shaded while that is called a drift. "
        "Purple: acts of staff.</p>"
    )


def _decisions(cries: Sequence[DeviationRecord]) -> Iterable[tuple[str, ...]]:
    counts = Counter((cry.gate, cry.reason) for cry in cries)
    return ((gate, reason, str(n)) for (gate, reason), n in counts.most_common())


def _acts(acts: Sequence[Act], zone: tzinfo | None) -> Iterable[str]:
    if acts:
        rows = (
            (
                f"{local(act.at_ms, zone):%Y-%m-%d %H:%M}",
                *(act.what, act.who, act.remark, act.outcome or ""),
            )
            for act in acts
        )
        yield "<h2>What staff did</h2>"
        yield _table(("when", "what", "who", "remark", "what came of it"), rows)


def _cells(span: Span, hourly: bool) -> tuple[str, ...]:
    return (
        f"{span.begin:%a %d %b %H:00}" if hourly else f"{span.begin:%a %d %b %Y}",
        str(span.cries),
        f"{span.minutes:.1f}",
        "–" if span.sigma is None else f"{span.sigma:+.1f}σ",
        str(span.unusual),
        ("–" if span.drift_sigma is None else f"{span.drift_sigma:.1f}σ")
        + (" drifting" if span.drifting else ""),
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(cells: Iterable[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "\n".join(["<table>", line(head, "th"), *(line(row, "td") for row in rows), "</table>"])


def _box(kind: str, x: float, y: float, width: float, height: float) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {place}/>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
