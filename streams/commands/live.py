"""`vagitus demo`: all of it at once, on a broker of its own."""

import asyncio
import time
from pathlib import Path

import click
from rich.console import Console

from streams import words
from streams.commands.options import Duration
from streams.records.admission import Admission
from streams.settings import Settings

# Ward time runs this much faster, so that a minute shows an infant learned and drifting.
DEMO_SPEED = 12.0
UNTIL_STOPPED_HALF_SECONDS = 600.0


@click.command()
@click.option("--monitors", default=8, show_default=True, type=click.IntRange(1, 200))
@click.option(
    "--duration", type=Duration(), envvar="DURATION", metavar="TIME",
    help="End by itself after this long, as 60 or 5m, with a summary; otherwise Ctrl-C ends it.",
)  # fmt: skip
@click.option("--speed", default=DEMO_SPEED, show_default=True, type=click.FloatRange(0.1, 100))
@click.option("--seed", default=0, show_default=True, help="Another seed, another ward.")
@click.option(
    "--audio", type=click.Path(exists=True, path_type=Path), metavar="DIR",
    help="Play these recordings instead, each file at a monitor of its own.",
)  # fmt: skip
def demo(
    monitors: int, duration: float | None, speed: float, seed: int, audio: Path | None
) -> None:
    """See all of it: an embedded broker, a worker, and a simulated ward, live in the terminal.

    Eight infants cry in noise, talk and beeps, faster than real time; half-way one of them starts
    to drift. At the end the summary compares what was heard with what was so. The broker is for
    trying out: all is gone when the demo ends. It needs no network.

    \b
    vagitus demo --duration 60
    vagitus demo --audio recordings/
    """
    from streams.demo import run_demo
    from streams.verdict import judge, verdict_table

    console = Console()
    start_ms = int(time.time() * 1000)
    ward = None
    if audio is not None:
        from streams.sources.files import FileSource

        source = FileSource([audio], start_ms)
        admissions = [
            Admission(name, name, "audio", f"cot-{number}", 0)
            for number, name in enumerate(source.monitors, start=1)
        ]
    else:
        from models.synthesis.ward import SimulatedWard
        from streams.sources.ward import WardSource

        half = speed * duration / 2 if duration else UNTIL_STOPPED_HALF_SECONDS
        ward = WardSource(SimulatedWard(monitors, seed=seed, drift_at_seconds=half), start_ms)
        source, admissions = ward, ward.admissions()
    result = asyncio.run(run_demo(source, admissions, speed, duration, console))
    board = result.board
    console.print(board.table("The ward at the end"))
    if ward is not None:
        verdicts = judge(board, ward.truths(), Settings.read().onset_score)
        console.print(verdict_table(verdicts))
    console.print(
        f"{result.played.total} seconds sent, {len(board.scores)} scored, "
        f"{words.cries(len(board.deviations))} on timelines, {board.dead_letters} refused."
    )
    if not result.drained or result.worker_status not in (0, None):
        console.print(
            f"[red]Not everything was scored (worker ended with {result.worker_status}).[/]"
        )
        raise click.exceptions.Exit(1)
