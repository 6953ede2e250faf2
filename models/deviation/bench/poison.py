"""`vagitus-train ward poison`: a neighbour's cries, and growth, through the real embedder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from models.detector.paper.rows import Row, RowStore
from models.deviation.baseline import RULES
from models.deviation.bench.options import page_option, run_option
from models.deviation.bench.poisoning import (
    A_FIT,
    BEGINS,
    GROWING,
    GROWTH,
    INTRUDERS_A_CRY,
    Plan,
    grown,
    poisoned,
    read_cries,
)
from models.deviation.check import ALARM_BELOW_P
from models.deviation.population import WardError
from models.deviation.ward import WardModel
from models.identity.runtime import CryEmbedder

TABLE = "poisoning"
ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "deviation" / "poisoning.md"
DEFAULTS = Plan()
# What a neighbour may move the alarm rate by.
MOST_MOVED = 0.05

HEAD = """\
# A neighbour's cries, and growth

Made by `{command}`; do not edit. {embedder}, {ward}; {date}, {machine}.

{infants} synthetic infants (seed {seed}), every cry through the embedder, in clean sound; one
threshold, p < {alarm}.

## A fifth of what is heard is the neighbour's
{heard} cries of the infant's own, and {share:.0%} as many of one other infant among them, beside a
baseline that heard the own ones only ("clean"). Then {probes} cries of each, which teach nothing:
own ones, and the neighbour's. ± is the standard deviation over infants.

| the neighbour | learnt from | alarms on own, clean | mixed | moved by | on its, clean | mixed |
| --- | --- | --- | --- | --- | --- | --- |
"""
GROWTH_HEAD = """
## Growth
After {heard} cries the infant's {traits} move by {amount:g} within-infant standard deviations
over {growing} cries, and stay for {grown}.

| | mean over infants | least | most |
| --- | --- | --- | --- |
"""
NAMES = {
    "accepted": "share of cries learnt from",
    "alarms": "alarms on the grown infant's cries",
    "alarms_frozen": "the same, had learning stopped before it grew",
    "sigma": "deviation of the grown infant's cries, in sigma",
    "drift_sigma": "drift from the admission at the end, in sigma",
    "drifting": "drift is said at the end",
}


@click.command("poison")
@run_option("The embedded cries and finished rows are kept here.")
@page_option(PAGE, "docs/deviation/poisoning.md")
@click.option("--infants", default=DEFAULTS.infants, show_default=True)
@click.option("--seed", default=DEFAULTS.seed, show_default=True, help="Of the infants.")
def command(folder: Path, target: Path, infants: int, seed: int) -> None:
    """Mix a neighbour's cries into synthetic infants', let them grow, and write the page."""
    plan = Plan(infants=infants, seed=seed)
    try:
        ward = WardModel.load()
    except WardError as error:
        raise click.ClickException(str(error)) from error
    with tqdm(total=infants, desc="synthetic infants", unit="infant") as bar:
        cries = read_cries(folder / "poisoning", plan, bar.update)
    versions = {"ward": ward.version, "embedder": CryEmbedder().version, "rules": RULES}
    settings = asdict(plan) | versions
    store = RowStore(folder, "vagitus-train ward poison")

    def measure() -> dict[str, object]:
        mixed = {
            f"{begins}, {at_once}": poisoned(cries, plan, ward, begins, at_once)
            for at_once in (1, A_FIT)
            for begins in BEGINS
        }
        return {"poisoned": mixed, "grown": grown(cries, plan, ward)}

    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text(store.row(TABLE, "shipped", settings, measure)))
    click.echo(f"{target}")


def text(row: Row) -> str:
    """The page of one row."""
    settings, made = row.settings, row.made
    parts = [
        HEAD.format(
            **settings,
            command=made["command"],
            date=made["date"],
            machine=made["machine"],
            alarm=ALARM_BELOW_P,
            share=INTRUDERS_A_CRY,
        )
    ]
    moved = {}
    for how, of in row.figures["poisoned"].items():
        begins, at_once = how.split(", ")
        change = np.array(of["mixed"]) - np.array(of["clean"])
        moved[how] = float(change.mean())
        cells = [_over(of[name]) for name in ("clean", "mixed")]
        cells += [f"{change.mean():+.3f} ± {change.std():.3f}"]
        cells += [_over(of[name]) for name in ("neighbour_clean", "neighbour_mixed")]
        parts.append(
            f"| from cry {int(begins) + 1} on, {at_once} at a time | {np.mean(of['learnt']):.2f} | "
            f"{' | '.join(cells)} |\n"
        )
    worst = max(moved.values(), key=abs)
    within = "less" if abs(worst) < MOST_MOVED else "NOT less"
    parts.append(
        f"\nThe mean alarm rate moves by {worst:+.3f} at most: {within} than {MOST_MOVED}.\n"
    )
    parts.append(
        GROWTH_HEAD.format(
            **settings, traits=" and ".join(trait.value for trait in GROWING), amount=GROWTH
        )
    )
    figures = row.figures["grown"]
    for name, said in NAMES.items():
        of = np.array(figures[name])
        parts.append(f"| {said} | {of.mean():.2f} | {of.min():.2f} | {of.max():.2f} |\n")
    seen = [int(after) for after in figures["seen_after"] if after >= 0]
    parts.append(
        f"\nDrift is said of {len(seen)} of {len(figures['seen_after'])} infants while they grow"
        + (f", after {int(np.median(seen))} cries (median).\n" if seen else ".\n")
    )
    return "".join(parts)


def _over(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"
