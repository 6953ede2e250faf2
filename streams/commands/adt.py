"""`vagitus adt`: who lies where, from the hospital's own system."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from streams.commands.admissions import send
from streams.commands.options import broker_option
from streams.errors import AdtError, VagitusError
from streams.settings import PREFIX, Settings

if TYPE_CHECKING:
    from streams.adt import AdtEvent, Change
    from streams.play import Publisher


PIECE_BYTES = 65_536
# Two clocks are never quite the same.
MAX_AHEAD_MS = 60_000


@click.command()
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True, path_type=str))
@click.option(
    "--beds",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV with the columns location (PV1-3, e.g. NICU^12^A), ward, bed, monitor.",
)
@click.option(
    "--key-file",
    required=True,
    envvar=f"{PREFIX}PSEUDONYM_KEY_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The secret key that turns patients' identifiers into pseudonyms.",
)
@click.option(
    "--id-type",
    default="",
    metavar="TYPE",
    help="Of the identifier in PID-3 to take, e.g. MR; otherwise the first.",
)
@click.option(
    "--timezone",
    metavar="ZONE",
    help="Of times without an offset, e.g. Europe/Rome; otherwise this machine's.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@broker_option
def adt(
    files: Sequence[str],
    beds: Path,
    key_file: Path,
    id_type: str,
    timezone: str | None,
    dry_run: bool,
    broker: str | None,
) -> None:
    """Admit, transfer and discharge as HL7 v2 ADT messages say (A01, A02, A03).

    FILES hold messages one after the other, framed by MLLP or not; without any, or as `-`, they
    come from standard input, which is followed to its end. Other messages, and patients in beds
    that the list does not name, are passed over. Names and identifiers stay in this process: an
    infant is a pseudonym, the same for the same patient and key.

    A message that cannot be used is one line on standard error, and the others go on; the exit
    status is then 1.

    \b
    openssl rand -hex 32 > key && chmod 600 key
    vagitus adt adt.hl7 --beds beds.csv --key-file key --dry-run
    nc -l 2575 | vagitus adt --beds beds.csv --key-file key
    """
    try:
        from streams.adt import read_beds, read_key
    except ModuleNotFoundError as error:
        raise VagitusError(
            "HL7 messages need one more package: pip install 'vagitus[adt]'."
        ) from error

    settings = Settings.read(broker=broker)
    reading = _Adt(settings, read_beds(beds), read_key(key_file), dry_run)
    try:
        zone = ZoneInfo(timezone) if timezone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # `Europe` is a folder
        raise click.BadParameter(f"There is no time zone {timezone!r}.") from None
    asyncio.run(reading.run(_lines(files or ("-",)), zone, id_type))
    click.echo(
        f"Messages: {reading.messages}. Changes: {reading.changed}, "
        f"passed over: {reading.passed_over}, refused: {reading.refused}."
    )
    if reading.refused:
        raise click.exceptions.Exit(1)


class _Adt:
    """Goes through messages, and counts what became of them."""

    def __init__(self, settings: Settings, beds, key: bytes, dry_run: bool) -> None:
        self.messages = self.changed = self.passed_over = self.refused = 0
        self._settings, self._beds, self._key, self._dry_run = settings, beds, key, dry_run

    async def run(self, lines: Iterator[str], zone: tzinfo | None, id_type: str) -> None:
        """Until the lines end."""
        from streams.admissions import read_admissions
        from streams.adt import read_event, split_messages
        from streams.play import Publisher

        self._lying = await read_admissions(self._settings)
        async with Publisher(self._settings) as publisher:
            messages = split_messages(lines)
            # Standard input may wait for hours: not on the thread that keeps the connection.
            while (text := await asyncio.to_thread(next, messages, None)) is not None:
                self.messages += 1
                try:
                    event = read_event(text, zone, id_type)
                    await self._take(event, publisher)
                except AdtError as error:
                    self.refused += 1
                    click.echo(f"vagitus: {error}.", err=True)

    async def _take(self, event: "AdtEvent | None", publisher: "Publisher") -> None:
        from streams.adt import changes_of, pseudonym_of, unheard

        changes = []
        if event is not None:
            event = self._by_now(event)
            changes = changes_of(
                event, self._lying, self._beds, lambda patient: pseudonym_of(patient, self._key)
            )
        for change in changes:
            if not self._dry_run:
                await send(publisher, change.monitor, change.admission)
            self._note(change)
        self.changed += len(changes)
        if event is not None and unheard(event, self._beds):
            raise AdtError(
                f"message {event.control_id}: no monitor is known at {event.location}, "
                "in a ward that has some"
            )
        self.passed_over += not changes

    def _by_now(self, event: "AdtEvent") -> "AdtEvent":
        """An event as of now where it is in the future: until then nobody would be listened to."""
        ahead_ms = event.at_ms - int(time.time() * 1000)
        if ahead_ms > MAX_AHEAD_MS:
            click.echo(
                f"vagitus: message {event.control_id}: its time is {ahead_ms / 60_000:.0f} minutes "
                "ahead, and it is taken as of now. Is --timezone right, and both clocks?",
                err=True,
            )
        return replace(event, at_ms=event.at_ms - max(0, ahead_ms))

    def _note(self, change: "Change") -> None:
        before = self._lying.pop(change.monitor, None)
        if change.admission is not None:
            self._lying[change.monitor] = change.admission
            what = f"{change.admission.infant} is admitted at {change.monitor}"
            click.echo(f"{what} ({change.admission.ward}, {change.admission.bed}).")
        elif before is not None:
            click.echo(f"{before.infant} has left {change.monitor}.")


def _lines(files: Sequence[str]) -> Iterator[str]:
    """The segments of all files."""
    for name in files:
        if name == "-":
            yield from _segments(sys.stdin.buffer)
            continue
        try:
            with Path(name).open("rb") as file:
                yield from _segments(file)
        except OSError as error:
            raise AdtError(f"The messages cannot be read: {error}.") from None


def _segments(file: BufferedIOBase) -> Iterator[str]:
    """Segments as they come in, whatever ends them."""
    rest = b""
    while piece := file.read1(PIECE_BYTES):
        # The end of a frame need not be the end of a line.
        piece = piece.replace(b"\n", b"\r").replace(b"\x1c", b"\x1c\r")
        *whole, rest = (rest + piece).split(b"\r")
        # Names may come in any encoding; they are not looked at.
        yield from (line.decode(errors="backslashreplace") for line in whole)
    yield rest.decode(errors="backslashreplace")
