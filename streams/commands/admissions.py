"""`vagitus admit`, `transfer`, `discharge` and `admissions`: who lies where."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from streams.commands.options import broker_option
from streams.commands.timeline import known_infants
from streams.errors import BrokerError, VagitusError
from streams.settings import Settings
from streams.timeline.figures import local

if TYPE_CHECKING:
    from streams.play import Publisher
    from streams.records.admission import Admission


@click.command()
@click.argument("monitor")
@click.argument("infant")
@click.option("--ward", required=True, help="Where, e.g. nicu.")
@click.option("--bed", required=True, help="Where, e.g. cot-3.")
@broker_option
def admit(monitor: str, infant: str, ward: str, bed: str, broker: str | None) -> None:
    """Admit INFANT (a pseudonym, never a name) at MONITOR.

    From now on what the monitor hears trains this infant's baseline. A monitor without an
    admission is scored, but trains nobody. One monitor hears one infant: where another one lies,
    and whoever lies elsewhere, must be discharged or transferred first.

    \b
    vagitus admit mon-3 infant-07f3 --ward nicu --bed cot-3
    """
    from streams.admissions import read_admissions
    from streams.records.admission import Admission

    admission = Admission(monitor, infant, ward, bed, _now_ms())
    settings = Settings.read(broker=broker)
    lying = asyncio.run(read_admissions(settings))
    there = lying.get(monitor)
    if there is not None and there.infant != infant:
        raise VagitusError(
            f"{there.infant} lies at {monitor} ({there.ward}, {there.bed}), and nobody would "
            f"listen to it any more: `vagitus discharge {monitor}` first, or `vagitus transfer` it."
        )
    for other in lying.values():
        if other.infant == infant and other.monitor != monitor:
            raise VagitusError(
                f"{infant} lies at {other.monitor} ({other.ward}, {other.bed}): `vagitus transfer "
                f"{infant} --monitor {monitor} --ward {ward} --bed {bed}` moves it."
            )
    asyncio.run(_publish(settings, [(monitor, admission)]))
    click.echo(f"{infant} is admitted at {monitor} ({ward}, {bed}).")


@click.command()
@click.argument("infant", shell_complete=known_infants)
@click.option("--monitor", help="The monitor that hears it from now on; otherwise the same.")
@click.option("--ward", help="Otherwise the same.")
@click.option("--bed", help="Otherwise the same.")
@broker_option
def transfer(
    infant: str, monitor: str | None, ward: str | None, bed: str | None, broker: str | None
) -> None:
    """Move INFANT to another bed, ward or monitor; its baseline goes with it.

    Whoever was admitted at the other monitor is discharged from it.

    \b
    vagitus transfer infant-07f3 --monitor mon-5 --bed cot-5
    vagitus transfer infant-07f3 --ward step-down --bed cot-12 --monitor mon-40
    """
    from streams.admissions import read_admissions

    if not (monitor or ward or bed):
        raise click.UsageError("Say where to: --monitor, --ward or --bed.")
    settings = Settings.read(broker=broker)
    lying = asyncio.run(read_admissions(settings))
    before = next((a for a in lying.values() if a.infant == infant), None)
    if before is None:
        raise VagitusError(f"{infant} is admitted nowhere: `vagitus admissions` lists who is.")
    wanted = {"monitor": monitor, "ward": ward, "bed": bed}
    after = replace(before, admitted_at_ms=_now_ms(), **{k: v for k, v in wanted.items() if v})
    leaves = [(before.monitor, None)] if after.monitor != before.monitor else []
    asyncio.run(_publish(settings, [*leaves, (after.monitor, after)]))
    ended = lying.get(after.monitor)
    if ended is not None and ended.infant != infant:
        click.echo(f"{ended.infant} has left {after.monitor}.")
    click.echo(f"{infant} is at {after.monitor} now ({after.ward}, {after.bed}).")


@click.command()
@click.argument("monitor")
@broker_option
def discharge(monitor: str, broker: str | None) -> None:
    """Discharge whoever lies at MONITOR: its series leave, its sound trains nobody.

    \b
    vagitus discharge mon-3
    """
    from streams.admissions import read_admissions

    settings = Settings.read(broker=broker)
    leaves = asyncio.run(read_admissions(settings)).get(monitor)
    if leaves is None:
        raise VagitusError(f"Nobody is admitted at {monitor}: `vagitus admissions` lists who is.")
    asyncio.run(_publish(settings, [(monitor, None)]))
    click.echo(f"{leaves.infant} has left {monitor}.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@broker_option
def admissions(as_json: bool, broker: str | None) -> None:
    """List who lies where, by ward and bed.

    \b
    vagitus admissions
    vagitus admissions --json | jq -r .infant
    """
    from streams.admissions import read_admissions

    found = asyncio.run(read_admissions(Settings.read(broker=broker)))
    for admission in sorted(found.values(), key=lambda a: (a.ward, a.bed, a.monitor)):
        if as_json:
            click.echo(json.dumps(asdict(admission)))
        else:
            since = local(admission.admitted_at_ms)
            click.echo(f"{admission.ward:12} {admission.bed:12} {admission.monitor:16} "
                       f"{admission.infant:20} since {since:%Y-%m-%d %H:%M}")  # fmt: skip
    if not found and not as_json:
        click.echo("Nobody is admitted.")


def warn_of_nobody(
    settings: Settings, infant: str | None = None, ward: str | None = None, bed: str | None = None
) -> None:
    """Say so if nobody who is admitted is meant by what is given: a typing error silences nobody.

    What was asked for is done all the same, for an infant may be about to come; and where the
    broker cannot be asked, it is not checked.
    """
    from streams.admissions import read_admissions

    try:
        lying = asyncio.run(read_admissions(settings)).values()
    except BrokerError:
        return
    meant = {"infant": infant, "ward": ward, "bed": bed}
    meant = {name: value for name, value in meant.items() if value}
    if not any(meant.items() <= asdict(admission).items() for admission in lying):
        said = ", ".join(f"{name} {value}" for name, value in meant.items())
        click.echo(
            f"vagitus: nobody is admitted there now ({said}): `vagitus admissions` lists who is.",
            err=True,
        )


async def _publish(settings: Settings, places: Sequence[tuple[str, "Admission | None"]]) -> None:
    from streams.play import Publisher

    async with Publisher(settings) as publisher:
        for monitor, admission in places:
            await send(publisher, monitor, admission)


async def send(publisher: "Publisher", monitor: str, admission: "Admission | None") -> None:
    """Put an infant at a monitor, or take away whoever lies there; raises BrokerError."""
    if admission is None:
        await publisher.discharge(monitor)
    else:
        await publisher.admit(admission)


def _now_ms() -> int:
    return int(time.time() * 1000)
