"""`vagitus baseline`: see what an infant's baseline learned from, pause it, undo, start again."""

import asyncio
import difflib
import json
import sys

import click
from rich.console import Console

from streams import words
from streams.commands.options import act_options, broker_option
from streams.commands.timeline import known_infants, timeline_option
from streams.errors import ModelError, TimelineError, VagitusError
from streams.records.baseline_act import BaselineAct
from streams.records.stored_baseline import StoredBaseline
from streams.settings import Settings
from streams.timeline.acts import ActKind
from streams.timeline.figures import local

# A worker answers within a second; one that is busy with a long log within some.
PATIENCE_SECONDS = 20.0
LOG_PATIENCE_SECONDS = 60.0

_infant = click.argument("infant", shell_complete=known_infants)
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.group()
def baseline() -> None:
    """See what an infant's baseline learned from; pause its learning, undo, start again.

    Acts go on the log of the infant's cries. The worker that has the infant carries each out once,
    in order with the cries; one that is down does so when it comes back. Who did what, when, why
    and what came of it stands on the timeline.

    \b
    vagitus baseline show infant-07f3
    vagitus baseline freeze infant-07f3 --by nurse-4 --because "fever, crying hoarsely"
    vagitus baseline rollback infant-07f3 --last 3 --because "a visitor's baby"
    """


@baseline.command()
@_infant
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@timeline_option
@broker_option
def show(infant: str, as_json: bool, url: str | None, broker: str | None) -> None:
    """Show what the baseline of INFANT learned from, and how it stands.

    Cries by what the gate decided and why, how far learning is, from where on a cry is called
    unusual, drift, the admission's reference beside the adaptive one. What staff did is shown where
    the timeline can be asked.

    \b
    vagitus baseline show infant-07f3
    vagitus baseline show infant-07f3 --json | jq .decisions
    """
    from streams.baselines.asking import waiting
    from streams.baselines.judging import Baselines
    from streams.baselines.report import BaselineReport

    settings = Settings.read(broker=broker, timeline_url=url)
    stored = _row(settings, infant)
    summary = Baselines(load_ward(settings)).summary(infant, stored)
    acts = _acts(settings, infant, asked=bool(url))
    to_come = asyncio.run(waiting(settings, infant, stored))
    report = BaselineReport(infant, stored, summary, acts, to_come)
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        Console().print(report.drawn())


@baseline.command()
@_infant
@act_options
@broker_option
def freeze(infant: str, who: str, why: str, broker: str | None) -> None:
    """Pause the learning of INFANT: its cries are scored and change nothing.

    The gate then refuses every cry with the reason `paused`. `unfreeze` ends it.

    \b
    vagitus baseline freeze infant-07f3 --by nurse-4 --because "fever"
    """
    _freeze(ActKind.LEARNING_PAUSED, infant, who, why, broker)


@baseline.command()
@_infant
@act_options
@broker_option
def unfreeze(infant: str, who: str, why: str, broker: str | None) -> None:
    """Let the learning of INFANT go on.

    \b
    vagitus baseline unfreeze infant-07f3 --by nurse-4
    """
    _freeze(ActKind.LEARNING_RESUMED, infant, who, why, broker)


@baseline.command()
@_infant
@_yes
@act_options
@broker_option
def reset(infant: str, yes: bool, who: str, why: str, broker: str | None) -> None:
    """Let the baseline of INFANT begin again: all that was learned is let go.

    It learns from the next cry on, also where it is made anew later. A pause of learning stays.

    \b
    vagitus baseline reset infant-07f3 --because "after the operation"
    """
    settings = Settings.read(broker=broker)
    act = BaselineAct.now(ActKind.BASELINE_RESET, infant, who, why)
    heard = _row(settings, infant).heard
    _sure(yes, f"All that was learned from the {heard} cries of {infant} will be let go")
    _do(settings, act, PATIENCE_SECONDS)


@baseline.command()
@_infant
@click.option("--last", type=click.IntRange(1), required=True, metavar="N",
              help="How many of the cries learned from, the latest first.")  # fmt: skip
@_yes
@act_options
@broker_option
def rollback(infant: str, last: int, yes: bool, who: str, why: str, broker: str | None) -> None:
    """Undo the last N cries that the baseline of INFANT learned from.

    It is then what it would be had they never been heard. For that the worker goes through the
    infant's log again: where its first cries are no longer kept (90 days), that is refused and the
    baseline stays as it is.

    \b
    vagitus baseline rollback infant-07f3 --last 3 --because "a visitor's baby"
    """
    settings = Settings.read(broker=broker)
    learned = _row(settings, infant).learned
    if last > len(learned):
        raise VagitusError(
            f"{infant} can be rolled back by the last {words.cries(len(learned))} learned from at "
            f"most, not by {last}: others are not known by name; `reset` lets all go."
        )
    undone = learned[-last:]
    act = BaselineAct.now(
        ActKind.BASELINE_ROLLED_BACK, infant, who, why, tuple(name for name, _ in undone)
    )
    first, latest = (f"{local(at_ms):%Y-%m-%d %H:%M:%S}" for _, at_ms in (undone[0], undone[-1]))
    _sure(yes, f"{last} of the cries {infant} learned from, {first} to {latest}, will be undone")
    _do(settings, act, LOG_PATIENCE_SECONDS)


def _sure(yes: bool, what: str) -> None:
    """Ask whoever is there; raises where it is not wanted, or where nobody is."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what}: give --yes where nobody can be asked.")
    click.confirm(f"{what}. Go on?", abort=True)


def _freeze(what: ActKind, infant: str, who: str, why: str, broker: str | None) -> None:
    settings = Settings.read(broker=broker)
    act = BaselineAct.now(what, infant, who, why)
    _row(settings, infant)
    _do(settings, act, PATIENCE_SECONDS)


def _row(settings: Settings, infant: str) -> StoredBaseline:
    """The infant's row, an empty one before its first cry; raises VagitusError."""
    from streams.admissions import read_admissions
    from streams.baselines.asking import read_row, require_topics

    async def look() -> tuple[StoredBaseline | None, set[str]]:
        await require_topics(settings)
        stored = await read_row(settings, infant)
        admissions = {} if stored else await read_admissions(settings)
        return stored, {admission.infant for admission in admissions.values()}

    stored, known = asyncio.run(look())
    if stored is None and infant not in known:
        near = difflib.get_close_matches(infant, sorted(known), cutoff=0.0)
        there = f"there is: {', '.join(near)}" if near else "nobody is"
        raise VagitusError(f"{infant} has no baseline and is not admitted; {there}.")
    return stored or StoredBaseline()


def load_ward(settings: Settings):
    """The ward model that the workers of these settings have; raises VagitusError."""
    from models.deviation.population import WardError
    from models.deviation.ward import WardModel

    folder = settings.weights_dir
    try:
        return WardModel.load(folder and folder / "ward.safetensors")
    except WardError as error:
        raise ModelError(f"The ward model cannot be loaded: {error}.") from None


def _acts(settings: Settings, infant: str, asked: bool) -> list:
    """What staff did; nothing where there is no timeline, unless it was asked for by its URL."""
    from streams.timeline.store import TimelineStore, timeline_url

    try:
        store = TimelineStore(timeline_url(settings))
        try:
            return list(store.acts(infant))
        finally:
            store.close()
    except TimelineError:
        if asked:
            raise
        return []


def _do(settings: Settings, act: BaselineAct, patience_seconds: float) -> None:
    """Ask for an act and say what came of it; raises VagitusError where it was refused."""
    from streams.baselines.acting import REFUSED
    from streams.baselines.asking import ask, rows_after

    console = Console(stderr=True)
    with console.status("Waiting for the worker; Ctrl-C leaves, the act stands."):
        answers = asyncio.run(ask(settings, [act], patience_seconds))
        asyncio.run(rows_after(settings, answers.values()))
    told = answers.get(act.id)
    if told is None:
        click.echo(
            f"{act.infant}: it is on the log, but no worker has answered yet; the one that comes "
            "back carries it out."
        )
        return
    said = told.outcome or ""
    if said.startswith(REFUSED):
        raise VagitusError(f"{act.infant}: {said.removeprefix(REFUSED)}.")
    click.echo(f"{act.infant}: {said}.")
