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
    CRIES_A_DAY,
    LATE,
    NULL_DAYS,
    SOON,
    STREAMS_AN_INFANT,
)
from models.deviation.bench.recorded import FEWEST_OWN
from models.deviation.bench.voices import AMOUNTS, CHOSEN_ON, Shape
from models.deviation.bench.watchers import EXPLAINED
from models.synthesis.infant import Trait

Rows = Mapping[str, Row]
SHIPPED = "shipped"
# ADWIN alone sees nothing and ICLAS's own rule alarms on everything: neither makes a curve.
DRAWN = tuple(name for name in EXPLAINED if name not in {"adwin", "iclas"})

HEAD = """\
# How soon a drift is seen

Made by `{command}`; do not edit. {embedder}, {ward}; {date}, {machine}, one thread. How it came
about: [drift-log](drift-log.md).

{infants} infants of the cry synthesizer (seed {seed}; what ships was chosen on others, seed
{chosen}), cries of three seconds through the shipped embedder, the ward model of recorded infants.
{reference} cries enrol, {settling} more are usual, then one trait of the voice moves by 0.5, 1 or 2
standard deviations of its own spread from cry to cry: at once (step) or over {ramp} cries (ramp).
Each drift is followed for {followed} cries, none of which comes twice; a day is {day} cries. Each
infant is heard {streams} times, its cries in another order, so that others enrol it.

A standard deviation is the synthesizer's, of one trait: it is not one of the embedding.

![Cries until a drift is seen]({plot})

## All methods
Median of the delays in cries over all traits; in brackets the share that is seen at all within
{followed} cries. "–": less than half are seen. Where a threshold is raised, it is the lowest with
one false alarm or fewer per {null} infant-days on average, on these very infants. A false alarm is
a beginning: a method that is always above its threshold has one. "Early": streams that alarm
before their drift begins, and are left out.

"""
FOOT = """
## What cannot be concluded
- Synthetic cries carry no room, no neighbour and no bouts, and a trait moves alone. An embedder
  trained on recorded cries may see such a drift larger or smaller than a real one.
- An illness need not move any of these traits; that one is found is not shown here.
- Thirty days are {usual} usual cries of each infant over and over: their mean stays a little off
  the enrolled ones' for good, as a real infant's does.
- Most false alarms come in the first days, while the reference stands on few cries. Where a
  threshold is raised, a part of what is seen of small drifts soon after enrolment are such alarms.
- Orders of one infant's cries are not other infants: shares are of {infants} infants' voices.
- ICLAS states neither a threshold nor how scores of a session are put together: 95th percentile
  of the enrolment errors and means of eight cries are our reading. Its autoencoder learns no more
  after enrolment here, in its favour: with its updating it would learn slow drift as well.
"""
RECORDED = f"""
## False alarms of recorded infants
In {NULL_DAYS} infant-days, at the thresholds of the first table. No recorded infant was recorded
for so long: the cries of those with {FEWEST_OWN} recordings or more are dealt out over and over in
random order ("own"), or every recorded infant's steps from its mean, around the mean of one
("dealt"). `train` and `val`, to which the ward model was fitted.

| method | cries | streams | mean | median | most |
| --- | --- | --- | --- | --- | --- |
"""


def text(rows: Rows, recorded: Rows | None = None) -> str:
    """The page of these rows, by method; `recorded`: those of recorded infants."""
    first = next(iter(rows.values()))
    of = first.settings
    usual = of["usual"] - REFERENCE_CRIES
    head = HEAD.format(
        command=first.made["command"],
        embedder=of["embedder"],
        ward=of["ward"],
        date=first.made["date"],
        machine=first.made["machine"],
        infants=of["infants"],
        seed=of["seed"],
        chosen=CHOSEN_ON,
        reference=REFERENCE_CRIES,
        settling=SOON,
        ramp=of["ramp"],
        followed=of["followed"],
        day=CRIES_A_DAY,
        streams=STREAMS_AN_INFANT,
        null=NULL_DAYS,
        plot="drift.svg",
    )
    parts = [head, *_methods(rows), *_traits(rows), *_recorded(recorded or {})]
    made = sorted({f"{row.made['commit']}, {row.made['date']}" for row in rows.values()})
    parts += [
        FOOT.format(usual=usual, infants=of["infants"]),
        f"\nMeasured at {'; '.join(made)}.\n",
    ]
    return "".join(parts)


COLUMNS = tuple(f"{shape} {amount}" for shape in Shape for amount in AMOUNTS)


def _methods(rows: Rows) -> Iterator[str]:
    false = f"false alarms in {NULL_DAYS} days: mean, median, most"
    yield f"| method | {false} | early | {' | '.join(COLUMNS)} |\n"
    yield f"| --- | --- | --- |{' --- |' * len(COLUMNS)}\n"
    for name, row in rows.items():
        drifts = [pooled(row, shape, amount) for shape in Shape for amount in AMOUNTS]
        early = 1 - len(drifts[0]) / (len(Trait) * len(row.figures["false"]))
        yield (
            f"| {EXPLAINED[name]} | {_false(row.figures['false'])} | {early:.0%} | "
            f"{' | '.join(map(_cell, drifts))} |\n"
        )


def _false(counts: list[int], mark: str = ", ") -> str:
    return mark.join((f"{np.mean(counts):.1f}", f"{np.median(counts):.1f}", f"{max(counts)}"))


def _traits(rows: Rows) -> Iterator[str]:
    if SHIPPED not in rows:
        return
    days = LATE // CRIES_A_DAY
    yield (
        f"\n## What ships, by trait\nAfter {SOON} usual cries, and after {LATE} ({days} days), when"
        " the admission reference stands on more of them.\n\n"
        f"| trait | usual cries before | {' | '.join(COLUMNS)} |\n"
        f"| --- | --- |{' --- |' * len(COLUMNS)}\n"
    )
    delays = rows[SHIPPED].figures["delays"]
    for trait in Trait:
        for settling in (SOON, LATE):
            names = [f"{settling}/{shape}/{trait}/{a}" for shape in Shape for a in AMOUNTS]
            if names[0] in delays:
                cells = [_cell(delays[name]) for name in names]
                yield f"| {trait} | {settling} | {' | '.join(cells)} |\n"


def _recorded(rows: Rows) -> Iterator[str]:
    if not rows:
        return
    yield RECORDED
    for name, row in rows.items():
        for kind, counts in row.figures["false"].items():
            yield f"| {EXPLAINED[name]} | {kind} | {len(counts)} | {_false(counts, ' | ')} |\n"


def pooled(row: Row, shape: Shape, amount: float) -> list[int | None]:
    """The delays of all traits."""
    return [d for t in Trait for d in row.figures["delays"][f"{SOON}/{shape}/{t}/{amount}"]]


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
                        found = pooled(rows[name], shape, amount)
                        _seen(ax, found, name, rows[name].settings["followed"])
                ax.set_title(f"{shape}, {amount} standard deviations", fontsize=9)
                ax.set_ylim(0, 1)
        for ax in axes[-1]:
            ax.set_xlabel("cries since it began")
        for ax in axes[:, 0]:
            ax.set_ylabel("share seen")
        axes[0, 0].legend(fontsize=7)
        figure.savefig(path, metadata={"Date": None})


def _seen(ax: object, found: list[int | None], name: str, followed: int) -> None:
    delays = np.sort([d for d in found if d is not None])
    share = np.arange(1, len(delays) + 1) / max(len(found), 1)
    ax.step(  # type: ignore[attr-defined]
        [0, *delays, followed],
        [0, *share, share[-1] if len(share) else 0],
        where="post",
        label=name,
    )
