"""`vagitus play`: sound into any broker, of recordings, a microphone or a simulated ward."""

import asyncio
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streams.commands.options import Duration, Speed, broker_option, quiet_option
from streams.errors import VagitusError
from streams.records.admission import Admission
from streams.records.sound import Codec
from streams.settings import Settings
from streams.words import counted

if TYPE_CHECKING:
    from streams.sources.source import Source
    from streams.sources.ward import WardSource

MOST_MONITORS = 200
# Sound may be dated a day ahead (`streams.records.cloudevent`); without an end, played faster, it
# would soon be.
NEEDS_END = "Give --duration too: a ward without an end is played no faster than real time."


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--microphone", is_flag=True, help="Play what the microphone hears.")
@click.option("--simulate", type=click.IntRange(1, MOST_MONITORS), metavar="INFANTS",
              help="Play a simulated ward of so many infants, and admit them.")  # fmt: skip
@click.option("--monitor", help="Play everything at this monitor; otherwise one a file.")
@click.option("--speed", type=Speed(), default="1", show_default=True, metavar="FACTOR|max",
              help="1 is real time; `max` does not wait.")  # fmt: skip
@click.option("--duration", type=Duration(), metavar="TIME",
              help="End after so much sound at each monitor, as 90, 10m or 24h.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), metavar="NUMBER",
              help="With --simulate: another seed, another ward.  [default: 0]")  # fmt: skip
@click.option("--drift-after", type=Duration(), metavar="TIME",
              help="With --simulate: from then on one infant's voice moves away.")  # fmt: skip
@click.option("--codec", type=click.Choice([c.value for c in Codec]), default=Codec.PCM.value,
              show_default=True)  # fmt: skip
@broker_option
@quiet_option
def play(
    paths: tuple[Path, ...],
    microphone: bool,
    simulate: int | None,
    monitor: str | None,
    speed: float | None,
    duration: float | None,
    seed: int | None,
    drift_after: float | None,
    codec: str,
    broker: str | None,
    quiet: bool,
) -> None:
    """Send sound into the stream: recordings, folders of them, the microphone, or a simulated ward.

    \b
    vagitus play ward.wav --monitor cot-3
    vagitus play recordings/ --speed max
    vagitus play --microphone --monitor nursery
    vagitus play --simulate 8
    vagitus play --simulate 8 --duration 24h --speed 20 --drift-after 12h

    Ctrl-C ends it; what was sent by then stays. A monitor without an admission is scored but
    trains nobody: see `vagitus admit`.

    A simulated ward has the monitors mon-1, mon-2, … of the ward nicu, whose infants cry in noise,
    talk and beeps. They are admitted, and stay so; `vagitus discharge` ends it. A monitor that
    somebody else lies at is not played over: try it on a broker without patients. Played faster
    than real time, the sound is dated back, so that it ends now.
    """
    if bool(paths) + microphone + bool(simulate) != 1:
        raise click.UsageError("Give PATHS, --microphone or --simulate.")
    if not simulate and (seed is not None or drift_after is not None):
        raise click.UsageError("--seed and --drift-after belong to --simulate.")
    if simulate and monitor:
        raise click.UsageError("A simulated ward has monitors of its own: leave out --monitor.")
    start_ms = int(time.time() * 1000)
    infants: list[Admission] = []
    if simulate:
        start_ms -= _dated_back_ms(speed, duration)
        source: Source = _ward(simulate, seed or 0, drift_after, start_ms, Codec(codec))
        infants = source.admissions()
    else:
        source = _source(paths, microphone, monitor, start_ms, Codec(codec))
    settings = Settings.read(broker=broker)
    asyncio.run(_play(source, infants, settings, speed, duration, quiet))


async def _play(
    source: "Source",
    infants: Sequence[Admission],
    settings: Settings,
    speed: float | None,
    seconds: float | None,
    quiet: bool,
) -> None:
    """Admit, play to the end or until told to stop, say what was sent."""
    from streams.play import Publisher
    from streams.play import play as play_source

    console = Console(stderr=True)
    total = round(seconds * len(infants)) if seconds and infants else None
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} s sent"),
        TimeElapsedColumn(), console=console, disable=quiet or not console.is_terminal,
    )  # fmt: skip
    stop = asyncio.Event()
    async with Publisher(settings) as publisher:
        if infants:
            await _check_free(infants, settings)
            for admission in infants:
                await publisher.admit(admission)
            click.echo(
                f"{len(infants)} infants are admitted on ward {infants[0].ward}; "
                "`vagitus admissions` lists them."
            )
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        with bar:
            task = bar.add_task("Playing", total=total)
            played = await play_source(
                source, publisher, speed, lambda chunk: bar.advance(task), seconds, stop
            )
    for sentence in getattr(source, "skipped", ()):
        click.echo(f"vagitus: skipped: {sentence}", err=True)
    monitors = len(played.chunks)
    seconds = counted(played.total, "second")
    click.echo(f"{seconds} sent from {counted(monitors, 'monitor')}.")


async def _check_free(infants: Sequence[Admission], settings: Settings) -> None:
    """Raise VagitusError if somebody else lies at one of the ward's monitors."""
    from streams.admissions import read_admissions

    lying = await read_admissions(settings)
    for admission in infants:
        there = lying.get(admission.monitor)
        if there is not None and there.infant != admission.infant:
            raise VagitusError(
                f"{there.infant} lies at {there.monitor}: play a simulated ward to a broker of its "
                f"own, or end that with `vagitus discharge {there.monitor}`."
            )


def _dated_back_ms(speed: float | None, duration: float | None) -> int:
    """By how much a ward's sound is older than the moment it begins to be played."""
    if speed is not None and speed <= 1:
        return 0
    if duration is None:
        raise click.UsageError(NEEDS_END)
    return round(1000 * (duration - (duration / speed if speed else 0.0)))


def _ward(
    infants: int, seed: int, drift_after: float | None, start_ms: int, codec: Codec
) -> "WardSource":
    from models.synthesis.ward import SimulatedWard
    from streams.sources.ward import WardSource

    ward = SimulatedWard(infants, seed=seed, drift_at_seconds=drift_after)
    return WardSource(ward, start_ms, codec=codec)


def _source(
    paths: tuple[Path, ...], microphone: bool, monitor: str | None, start_ms: int, codec: Codec
) -> "Source":
    if microphone:
        from streams.sources.microphone import MicrophoneSource

        return MicrophoneSource(monitor or "microphone", codec=codec)
    from streams.sources.files import FileSource

    return FileSource(list(paths), start_ms, monitor=monitor, codec=codec)
