"""`vagitus rebuild`: baselines from their cries' embeddings, where rules or models have changed."""

import asyncio
from collections.abc import Sequence

import click
from rich.console import Console
from rich.progress import Progress

from streams.commands.baseline import LOG_PATIENCE_SECONDS, load_ward
from streams.commands.options import act_options, broker_option, quiet_option
from streams.commands.timeline import known_infants
from streams.errors import VagitusError
from streams.settings import Settings
from streams.timeline.acts import Act, ActKind
from streams.words import counted


@click.command()
@click.option("--infant", "infants", multiple=True, shell_complete=known_infants, metavar="INFANT",
              help="Of this infant, needed or not; may be given several times.")  # fmt: skip
@click.option("--all", "everyone", is_flag=True, help="Of all infants, needed or not.")
@click.option("--dry-run", is_flag=True, help="Only say whose, why, and what it would come to.")
@act_options
@broker_option
@quiet_option
def rebuild(
    infants: tuple[str, ...],
    everyone: bool,
    dry_run: bool,
    who: str,
    why: str,
    broker: str | None,
    quiet: bool,
) -> None:
    """Make baselines anew from `cry-embeddings` alone, where the detector or its version changed.

    It is done for those who need it: whose baseline was made by other rules or models than this
    version's, or who have cries and no baseline. Each rebuild is an act that the infant's worker
    carries out in order with the cries that arrive meanwhile. What staff did before (a reset, a
    pause, a roll-back) holds, and no deviation is said again. Upgrade the workers first.

    A worker does the same by itself when it meets an old baseline at a cry.

    \b
    vagitus rebuild --dry-run
    vagitus rebuild --because "ward model of May"
    vagitus rebuild --infant infant-07f3 --infant infant-12aa
    """
    from streams.baselines.asking import require_topics, rows_after
    from streams.baselines.judging import Baselines
    from streams.baselines.rebuilding import Need, partitions_of, survey

    if infants and everyone:
        raise click.UsageError("Give --infant, or --all.")
    settings = Settings.read(broker=broker)
    baselines = Baselines(load_ward(settings))
    asyncio.run(require_topics(settings))

    def chosen(need: Need) -> bool:
        return bool(infants) or everyone or need is not Need.NONE

    with _bar(quiet) as bar:
        task = bar.add_task("Reading the logs", total=len(partitions_of(settings, infants)))
        found = asyncio.run(
            survey(
                settings,
                baselines,
                infants,
                replayed=lambda need: dry_run and chosen(need),
                on_read=lambda partitions: bar.update(task, completed=partitions),
            )
        )
    if unknown := sorted(set(infants) - {candidate.infant for candidate in found}):
        raise VagitusError(f"{unknown[0]} has neither a baseline nor cries that are kept.")
    candidates = [candidate for candidate in found if chosen(candidate.need)]
    if not candidates:
        click.echo(f"Nothing to do: of {counted(len(found), 'infant')} none needs it.")
    for candidate in candidates:
        click.echo(_line(candidate))
    if candidates and not dry_run:
        answered = _carry_out(settings, [c.infant for c in candidates], who, why, quiet)
        rows = asyncio.run(rows_after(settings, answered))
        for infant in (told.infant for told in answered):
            if infant in rows and baselines.summary(infant, rows[infant]) is None:
                raise VagitusError(
                    f"The worker that has {infant} goes by other rules or models than this "
                    "version: upgrade the workers, then rebuild again."
                )


def _line(candidate) -> str:
    line = f"{candidate.infant}: {candidate.need}; {candidate.kept} cries kept"
    if candidate.foreign:
        line += f", {candidate.foreign} of another embedder left out"
    if candidate.summary is not None:
        learned, state = candidate.summary.accepted, candidate.summary.state
        line += f"; would have learned from {learned} of {candidate.heard} ({state})"
    return line


def _carry_out(
    settings: Settings, infants: Sequence[str], who: str, why: str, quiet: bool
) -> list[Act]:
    """Ask the workers, say what came of it, and return their answers. Raises VagitusError."""
    from streams.baselines.acting import REFUSED
    from streams.baselines.asking import ask
    from streams.records.baseline_act import BaselineAct

    acts = [BaselineAct.now(ActKind.BASELINE_REBUILT, infant, who, why) for infant in infants]
    with _bar(quiet) as bar:
        task = bar.add_task("Rebuilding", total=len(acts))
        answers = asyncio.run(
            ask(settings, acts, LOG_PATIENCE_SECONDS, lambda told: bar.advance(task))
        )
    for told in answers.values():
        click.echo(f"{told.infant}: {told.outcome}")
    if waiting := len(acts) - len(answers):
        click.echo(
            f"{waiting} of {len(acts)} are on the log, but no worker has answered yet; the one "
            "that comes back carries them out."
        )
    refused = sum((told.outcome or "").startswith(REFUSED) for told in answers.values())
    if refused:
        raise VagitusError(f"{refused} of {len(acts)} baselines stay as they are.")
    return list(answers.values())


def _bar(quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(console=console, disable=quiet or not console.is_terminal, transient=True)
