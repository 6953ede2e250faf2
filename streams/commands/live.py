"""`vagitus demo` and `vagitus play`: sound that goes through a broker."""

import asyncio
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streams.commands.options import broker_option, quiet_option
from streams.records.admission import Admission
from streams.records.sound import Codec
from streams.settings import Settings

# Ward time runs this much faster, so that a minute shows an infant learned and drifting.
DEMO_SPEED = 12.0
UNTIL_STOPPED_HALF_SECONDS = 600.0


@click.command()
@click.option("--monitors", default=8, show_default=True, type=click.IntRange(1, 200))
@click.option(
    "--duration", type=click.FloatRange(min=1), envvar="DURATION", metavar="SECONDS",
    help="End by itself after this long, with a summary; otherwise Ctrl-C ends it.",
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
        source = ward
        admissions = [Admission(cot.monitor, cot.infant, cot.ward, cot.bed, 0) for cot in ward.cots]
    result = asyncio.run(run_demo(source, admissions, speed, duration, console))
    board = result.board
    console.print(board.table("The ward at the end"))
    if ward is not None:
        verdicts = judge(board, ward.truths(), Settings.read().onset_score)
        console.print(verdict_table(verdicts))
    console.print(
        f"{result.played.total} seconds sent, {len(board.scores)} scored, "
        f"{len(board.deviations)} cries on timelines, {board.dead_letters} refused."
    )
    if not result.drained or result.worker_status not in (0, None):
        console.print(
            f"[red]Not everything was scored (worker ended with {result.worker_status}).[/]"
        )
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--microphone", is_flag=True, help="Play what the microphone hears.")
@click.option("--monitor", help="Play everything at this monitor; otherwise one a file.")
@click.option("--speed", default="1", show_default=True, metavar="FACTOR|max",
              help="1 is real time; `max` does not wait.")  # fmt: skip
@click.option("--codec", type=click.Choice([c.value for c in Codec]), default=Codec.PCM.value,
              show_default=True)  # fmt: skip
@broker_option
@quiet_option
def play(
    paths: tuple[Path, ...],
    microphone: bool,
    monitor: str | None,
    speed: str,
    codec: str,
    broker: str | None,
    quiet: bool,
) -> None:
    """Send sound into the stream: recordings, folders of them, or the microphone.

    \b
    vagitus play ward.wav --monitor cot-3
    vagitus play recordings/ --speed max
    vagitus play --microphone --monitor nursery

    A monitor without an admission is scored but trains nobody: see `vagitus admit`.
    """
    from streams.play import Publisher
    from streams.play import play as play_source

    if bool(paths) == microphone:
        raise click.UsageError("Give PATHS, or --microphone.")
    factor = _speed(speed)
    source = _source(paths, microphone, monitor, Codec(codec))
    settings = Settings.read(broker=broker)
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} s sent"),
        TimeElapsedColumn(), console=console, disable=quiet or not console.is_terminal,
    )  # fmt: skip

    async def send():
        with bar:
            task = bar.add_task("Playing", total=None)
            async with Publisher(settings) as publisher:
                return await play_source(source, publisher, factor, lambda chunk: bar.advance(task))

    played = asyncio.run(send())
    for sentence in getattr(source, "skipped", ()):
        click.echo(f"vagitus: skipped: {sentence}", err=True)
    click.echo(f"{played.total} chunks sent from {len(played.chunks)} monitors.")


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise click.BadParameter("a number above 0, or `max`", param_hint="--speed")
    return speed


def _source(paths: tuple[Path, ...], microphone: bool, monitor: str | None, codec: Codec):
    start_ms = int(time.time() * 1000)
    if microphone:
        from streams.sources.microphone import MicrophoneSource

        return MicrophoneSource(monitor or "microphone", codec=codec)
    from streams.sources.files import FileSource

    return FileSource(list(paths), start_ms, monitor=monitor, codec=codec)
