"""The comparison as a page, `docs/deviation/detectors.md`: nothing on it is written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from models.detector.paper.rows import Row
from models.deviation.bench.contestants import CONTESTANTS, TIMED_AFTER
from models.deviation.bench.simulation import ENROLLED, INFANTS, PROBES, READY_AREA, ready_after
from models.deviation.check import ALARM_BELOW_P, FEWEST_RECORDINGS
from models.deviation.detectors.every import DEFAULT, ICLAS
from models.deviation.strangers import FOLDS

Rows = Mapping[str, Row]

# The protocol's infants; those with fewer make the figures steadier and are given as well.
PROTOCOL_RECORDINGS = 6
# A baseline may take no more.
MOST_BYTES = 100_000
# How far above ICLAS's detector the default was to rank.
ASKED_ABOVE = 0.10
# What calibration is held to: the mean rate, and the worst infant's from so many cries on.
RATE_BOUNDS = (0.02, 0.08)
WORST_RATE, FROM_ENROLLED = 0.20, 6
SHOWN = tuple(count for count in ENROLLED if count in (3, 6, 12, 24))

HEAD = """\
# Personal detectors compared

Made by `{command}`; do not edit. {embedder}, splits {splits}; {date}, {machine}.

Of each infant the earlier half of its recordings enrols and the later half is usual; as many
recordings of other infants are deviations, of the same platform, age band and sex as far as there
are any. {folds} folds over infants, drawn {repeats} times: the ward, and the scores that calibrate,
are of infants other than those that are scored or play deviations. Usual ones and deviations are
heard in turns, and only the usual ones may be learnt from. All have the same conformal calibration
and gate; `gaussian` is the stream's own `Baseline`. One threshold for all: p < {alarm}.
`+whitening`: behind all of a ward's whitening, otherwise on embeddings as they are; the default
takes as much of it as the ward's fit finds worthwhile.

- ± is the standard deviation over infants; "worst" is the infant with the most false alarms.
- "less the default": the mean over infants of the difference in AUC, ± its standard error.
- Times are medians after {timed} cries, of the detector alone, on a machine busy with other work.
  Bytes: what it remembers of one infant when full; a baseline may take {most:,}.
- "ready": made-up infants are told apart with an AUC of {ready} after so many cries.
"""
FOOT = """
## What cannot be concluded
- The embedder was trained on most of these infants (split `train`) and draws their recordings
  together: every AUC here is flattered. By embedders that never met them it is some 0.1 less, in
  much the same order ([log](log.md)).
- {infants} infants of {protocol} recordings or more: three to ten enrol, mostly minutes apart on
  one phone. An AUC is known to some ± 0.05, a false-positive rate of one infant to a third.
- Made-up infants are Gaussian, all alike in how their cries scatter, and unevenly: there the fit
  keeps the whitening. Of ranking they say little, of calibration and of how much is needed until
  it holds, more.

## How each row was made

| row | date | commit | minutes |
| --- | --- | --- | --- |
"""


def text(rows: Rows) -> str:
    """The page of these rows, by name; the first row is asked for what all share."""
    first = next(iter(rows.values()))
    settings, made = first.settings, first.made
    parts = [
        HEAD.format(
            command=made["command"],
            embedder=settings["embedder"],
            splits=" and ".join(str(name) for name in settings["splits"]),
            date=made["date"],
            machine=f"{made['machine']}, one thread",
            folds=FOLDS,
            repeats=settings["repeats"],
            alarm=ALARM_BELOW_P,
            timed=TIMED_AFTER,
            most=MOST_BYTES,
            ready=READY_AREA,
        ),
        *_missing(rows),
        *_real(rows, PROTOCOL_RECORDINGS),
        *_real(rows, FEWEST_RECORDINGS),
        *_costs(rows),
        *_simulated(rows),
        *_verdict(rows),
        FOOT.format(infants=_count(first, PROTOCOL_RECORDINGS), protocol=PROTOCOL_RECORDINGS),
    ]
    for name, row in rows.items():
        seconds = row.made["seconds"]
        parts.append(
            f"| {name} | {row.made['date']} | {row.made['commit']} | {seconds / 60:.1f} |\n"
        )
    return "".join(parts)


def _missing(rows: Rows) -> Iterator[str]:
    """The rows that are left out."""
    if missing := [c.name for c in CONTESTANTS if c.name not in rows]:
        yield f"- Not measured: {', '.join(missing)} ([log](log.md)).\n"


def line(row: Row) -> str:
    """A row in the terminal."""
    of = _column(row, "auc", FEWEST_RECORDINGS), _column(row, "fpr", FEWEST_RECORDINGS)
    return f"{row.name}: AUC {of[0].mean():.3f}, false-positive rate {of[1].mean():.3f}"


def _column(row: Row, figure: str, fewest: int) -> np.ndarray:
    """A figure of every infant with enough recordings, by the infants' names."""
    infants = row.figures["infants"]
    return np.array(
        [infants[name][figure] for name in sorted(infants) if infants[name]["recordings"] >= fewest]
    )


def _count(row: Row, fewest: int) -> int:
    return len(_column(row, "auc", fewest))


def _real(rows: Rows, fewest: int) -> Iterator[str]:
    infants = _count(next(iter(rows.values())), fewest)
    yield f"\n## Infants with {fewest} recordings or more: {infants}\n\n"
    yield (
        "| detector | AUC | less the default | AP | F1 | recall | false-positive rate | worst |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    default = next((row for row in rows.values() if _is_default(row)), None)
    for row in sorted(rows.values(), key=lambda row: -_column(row, "auc", fewest).mean()):
        cells = [_over(_column(row, "auc", fewest)), _less(row, default, fewest)]
        cells += [_over(_column(row, name, fewest)) for name in ("ap", "f1", "recall", "fpr")]
        yield f"| {_name(row)} | {' | '.join(cells)} | {_column(row, 'fpr', fewest).max():.2f} |\n"


def _over(values: np.ndarray) -> str:
    return f"{values.mean():.3f} ± {values.std():.3f}"


def _less(row: Row, default: Row | None, fewest: int) -> str:
    if default is None or row is default:
        return ""
    infants, others = row.figures["infants"], default.figures["infants"]
    both = [n for n in infants if n in others and infants[n]["recordings"] >= fewest]
    difference = np.array([infants[n]["auc"] - others[n]["auc"] for n in both])
    error = difference.std(ddof=1) / np.sqrt(len(both)) if len(both) > 1 else np.nan
    return f"{difference.mean():+.3f} ± {error:.3f}"


def _is_default(row: Row) -> bool:
    return row.name == DEFAULT


def _name(row: Row) -> str:
    return f"**{row.name}**, the default" if _is_default(row) else row.name


def _costs(rows: Rows) -> Iterator[str]:
    yield "\n## What it costs\n\n"
    yield "| detector | µs a score | µs an update | bytes an infant | ready after |\n"
    yield "| --- | --- | --- | --- | --- |\n"
    for row in rows.values():
        cost = row.figures["cost"]
        ready = ready_after(row.figures["simulated"])
        yield (
            f"| {_name(row)} | {cost['score_us']:,.0f} | {cost['update_us']:,.0f} | "
            f"{cost['bytes']:,} | {ready or 'never'} |\n"
        )


def _simulated(rows: Rows) -> Iterator[str]:
    yield (
        f"\n## Made-up infants: {INFANTS}, {PROBES} usual cries each\n\n"
        "AUC, mean false-positive rate and, in brackets, the worst infant's, by cries enrolled.\n\n"
    )
    counts = [str(count) for count in SHOWN]
    yield f"| detector | {' | '.join(f'AUC at {count} | FPR at {count}' for count in counts)} |\n"
    yield f"| --- |{' --- | --- |' * len(counts)}\n"
    for row in rows.values():
        of = row.figures["simulated"]
        cells = [
            f"{of[c]['auc']:.3f} | {of[c]['fpr']:.3f} ({of[c]['worst_fpr']:.2f})"
            if c in of
            else "– | –"
            for c in counts
        ]
        yield f"| {_name(row)} | {' | '.join(cells)} |\n"


def _why_not(best: Row, default: Row) -> Iterator[str]:
    """What else is asked of what ships: that one threshold stays one false-alarm rate."""
    last = str(SHOWN[-1])
    rates = [row.figures["simulated"].get(last, {}).get("fpr") for row in (best, default)]
    if None not in rates:
        yield (
            f"\nRanking is not all that is asked: with {last} made-up cries enrolled the "
            f"false-positive rate at a nominal 0.05 is {rates[0]:.3f} for `{best.name}` and "
            f"{rates[1]:.3f} for the default, and one infant takes "
            f"{best.figures['cost']['bytes']:,} bytes against "
            f"{default.figures['cost']['bytes']:,}.\n"
        )


def _verdict(rows: Rows) -> Iterator[str]:
    """What ships by this table, and whether it keeps what calibration is held to."""
    yield "\n## The default\n\n"
    fitting = [row for row in rows.values() if row.figures["cost"]["bytes"] <= MOST_BYTES]
    default = next((row for row in rows.values() if _is_default(row)), None)
    if default is None or not fitting:
        yield "Its row has not been measured.\n"
        return
    best = max(fitting, key=lambda row: _column(row, "auc", FEWEST_RECORDINGS).mean())
    figures = {row.name: _column(row, "auc", FEWEST_RECORDINGS).mean() for row in (default, best)}
    if best is default:
        yield f"`{default.name}` has the highest AUC of those that fit into a baseline.\n"
    else:
        yield (
            f"`{default.name}` ships (AUC {figures[default.name]:.3f} over infants with "
            f"{FEWEST_RECORDINGS} recordings or more); of those that fit into a baseline "
            f"`{best.name}` ranks highest there ({figures[best.name]:.3f}, "
            f"{_less(best, default, FEWEST_RECORDINGS)} to the default).\n"
        )
        yield from _why_not(best, default)
    if ICLAS in rows:
        above = " and ".join(
            f"{_less(default, rows[ICLAS], fewest)} ({fewest} recordings or more)"
            for fewest in (PROTOCOL_RECORDINGS, FEWEST_RECORDINGS)
        )
        yield (
            f"\nIts AUC less that of ICLAS's autoencoder: {above}; {ASKED_ABOVE:.2f} was asked "
            "for. What stands in the way: [log](log.md).\n"
        )
    yield "\nIts calibration, for a nominal rate of 0.05:\n\n"
    low, high = RATE_BOUNDS
    for fewest in (PROTOCOL_RECORDINGS, FEWEST_RECORDINGS):
        rates = _column(default, "fpr", fewest)
        inside = "within" if low <= rates.mean() <= high else "outside"
        yield (
            f"- infants with {fewest} recordings or more: {rates.mean():.3f}, {inside} {low} to "
            f"{high}; the worst {rates.max():.2f};\n"
        )
    rates = _column(default, "fpr", 2 * FROM_ENROLLED)  # half of the recordings enrol
    if rates.size:
        worst = "within" if rates.max() <= WORST_RATE else "above"
        yield (
            f"- {rates.size} of them with {FROM_ENROLLED} or more enrolled: the worst "
            f"{rates.max():.2f}, {worst} {WORST_RATE:.2f};\n"
        )
    for count, of in default.figures["simulated"].items():
        if int(count) >= FROM_ENROLLED:
            inside = "within" if low <= of["fpr"] <= high else "outside"
            worst = "within" if of["worst_fpr"] <= WORST_RATE else "above"
            yield (
                f"- made-up infants, {count} enrolled: {of['fpr']:.3f}, {inside}; the worst "
                f"{of['worst_fpr']:.2f}, {worst} {WORST_RATE:.2f};\n"
            )
