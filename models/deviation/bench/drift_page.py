"""Detection delays as a page and a plot, `docs/deviation/drift.md`: nothing is written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from models.detector.paper.rows import Row
from models.deviation.baseline import REFERENCE_CRIES
from models.deviation.bench.delays import (
    AMOUNTS,
    CRIES_A_DAY,
    FOLLOWED_CRIES,
    NULL_DAYS,
    RAMP_CRIES,
    SETTLING_CRIES,
    STREAMS_AN_INFANT,
    Shape,
)
from models.deviation.bench.watchers import EXPLAINED
from models.synthesis.infant import Trait

Rows = Mapping[str, Row]
SHIPPED = "shipped"
# ADWIN alone sees nothing and ICLAS's own rule alarms on everything: neither makes a curve.
DRAWN = tuple(name for name in EXPLAINED if name not in {"adwin", "iclas"})

HEAD = """\
# How soon a drift is seen

Made by `{command}`; do not edit. {embedder}, {ward}; {date}, {machine}, one thread.

{infants} infants of the cry synthesizer, cries of three seconds through the shipped embedder, the
ward model of recorded infants. {reference} cries enrol, {settling} more are usual, then one trait
of the voice moves by 0.5, 1 or 2 standard deviations of its own spread from cry to cry: at once
(step) or over {ramp} cries (ramp). It is followed for {followed} cries. A day is {day} cries; each
cell has {streams} stream for each infant and trait, and cries are drawn with replacement from
{usual} usual ones and {drifted} of each step of a drift.

A standard deviation is the synthesizer's, of one trait: it is not one of the embedding.

![Cries until a drift is seen]({plot})

## All methods
Median of the delays in cries over all traits; in brackets the share that is seen at all within
{followed} cries. "–": less than half are seen. Where a threshold is raised, it is the lowest with
one false alarm or fewer per {null} infant-days on average. A false alarm is a beginning: a method
that is always above its threshold has one, and no stream in which a drift could be seen.

"""
FOOT = """
## What cannot be concluded
- Synthetic cries carry no room, no neighbour and no bouts, and a trait moves alone. An embedder
  trained on recorded cries may see such a drift larger or smaller than a real one.
- An illness need not move any of these traits; that one is found is not shown here.
- Usual cries are drawn again and again from {usual}: their mean stays a little off the enrolled
  ones' for good, as a real infant's does.
- ICLAS states neither a threshold nor how scores of a session are put together: 95th percentile
  of the enrolment errors and means of eight cries are our reading. Its autoencoder learns no more
  after enrolment here, in its favour: with its updating it would learn slow drift as well.
"""


def text(rows: Rows) -> str:
    """The page of these rows, by method."""
    first = next(iter(rows.values()))
    of = first.settings
    head = HEAD.format(
        command=first.made["command"],
        embedder=of["embedder"],
        ward=of["ward"],
        date=first.made["date"],
        machine=first.made["machine"],
        infants=of["infants"],
        usual=of["usual"] - REFERENCE_CRIES,
        drifted=of["drifted"],
        reference=REFERENCE_CRIES,
        settling=SETTLING_CRIES,
        ramp=RAMP_CRIES,
        followed=FOLLOWED_CRIES,
        day=CRIES_A_DAY,
        streams=STREAMS_AN_INFANT,
        null=NULL_DAYS,
        plot="drift.svg",
    )
    parts = [head, *_methods(rows), *_traits(rows)]
    made = sorted({f"{row.made['commit']}, {row.made['date']}" for row in rows.values()})
    parts += [
        FOOT.format(usual=of["usual"] - REFERENCE_CRIES),
        f"\nMeasured at {'; '.join(made)}.\n",
    ]
    return "".join(parts)


def _methods(rows: Rows) -> Iterator[str]:
    columns = [f"{shape} {amount}" for shape in Shape for amount in AMOUNTS]
    false = f"false alarms in {NULL_DAYS} days: mean, median, most"
    yield f"| method | {false} | {' | '.join(columns)} |\n| --- | --- |{' --- |' * len(columns)}\n"
    for name, row in rows.items():
        cells = [_cell(pooled(row, shape, amount)) for shape in Shape for amount in AMOUNTS]
        false = np.array(row.figures["false"])
        yield (
            f"| {EXPLAINED[name]} | {false.mean():.1f}, {np.median(false):.1f}, {false.max()} | "
            f"{' | '.join(cells)} |\n"
        )


def _traits(rows: Rows) -> Iterator[str]:
    if SHIPPED not in rows:
        return
    yield "\n## What ships, by trait\n\n"
    columns = [f"{shape} {amount}" for shape in Shape for amount in AMOUNTS]
    yield f"| trait | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}\n"
    for trait in Trait:
        cells = [
            _cell(rows[SHIPPED].figures["delays"][f"{shape}/{trait}/{amount}"])
            for shape in Shape
            for amount in AMOUNTS
        ]
        yield f"| {trait} | {' | '.join(cells)} |\n"


def pooled(row: Row, shape: Shape, amount: float) -> list[int | None]:
    """The delays of all traits."""
    return [d for t in Trait for d in row.figures["delays"][f"{shape}/{t}/{amount}"]]


def median(found: list[int | None]) -> float:
    """Of delays, infinite where less than half were seen; nan of none."""
    return float(np.median([np.inf if d is None else d for d in found])) if found else np.nan


def _cell(found: list[int | None]) -> str:
    if not found:
        return "no stream"
    middle, seen = median(found), np.mean([d is not None for d in found])
    return f"{middle:.0f} ({seen:.0%})" if np.isfinite(middle) else f"– ({seen:.0%})"


def draw(rows: Rows, path: Path) -> None:
    """Share of drifts that are seen by then, over the cries since they began, as SVG."""
    # Neither the ids nor the date change from one drawing of the same rows to the next.
    with matplotlib.rc_context({"svg.hashsalt": "drift", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.subplots(len(Shape), len(AMOUNTS), sharex=True, sharey=True, squeeze=False)
        for line, shape in zip(axes, Shape, strict=True):
            for ax, amount in zip(line, AMOUNTS, strict=True):
                for name in DRAWN:
                    if name in rows:
                        _seen(ax, pooled(rows[name], shape, amount), name)
                ax.set_title(f"{shape}, {amount} standard deviations", fontsize=9)
                ax.set_ylim(0, 1)
        for ax in axes[-1]:
            ax.set_xlabel("cries since it began")
        for ax in axes[:, 0]:
            ax.set_ylabel("share seen")
        axes[0, 0].legend(fontsize=7)
        figure.savefig(path, metadata={"Date": None})


def _seen(ax: object, found: list[int | None], name: str) -> None:
    delays = np.sort([d for d in found if d is not None])
    share = np.arange(1, len(delays) + 1) / max(len(found), 1)
    ax.step(  # type: ignore[attr-defined]
        [0, *delays, FOLLOWED_CRIES],
        [0, *share, share[-1] if len(share) else 0],
        where="post",
        label=name,
    )
