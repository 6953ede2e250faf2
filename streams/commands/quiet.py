"""`vagitus alerts quiet`: hours of each day in which a ward is not told of lesser alerts."""

import asyncio
import os
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.commands.admissions import warn_of_nobody
from streams.commands.options import act_options, broker_option
from streams.errors import AlertmanagerError, BrokerError, RefusedMessage, VagitusError
from streams.settings import PREFIX, Settings
from streams.timeline.acts import ActKind, record_act
from streams.timeline.figures import local

if TYPE_CHECKING:
    from streams.records.quiet_hours import QuietHours

ZONES = "/zoneinfo/"


def own_zone() -> str:
    """The time zone of this machine, by its name; UTC where it has none."""
    named, linked = os.environ.get("TZ", "").lstrip(":"), str(Path("/etc/localtime").resolve())
    return named or (linked.rpartition(ZONES)[2] if ZONES in linked else "UTC")


@click.group()
def quiet() -> None:
    """Set hours of each day in which a ward is not told of lesser alerts.

    Alerts of high priority are always told, and so is it when a monitor sends nothing
    (MonitorSilent, MonitorNeverHeard): then nobody would know of anything worse. What is still so
    when the hours end is told then. Dashboards show everything all the time.

    The rules are kept on the broker; a worker keeps the silences in Alertmanager to them. Who set
    and removed which, and when, stands on the timeline.

    \b
    vagitus alerts quiet set neonatal --from 21:00 --until 06:00 --by head-nurse
    vagitus alerts quiet list
    vagitus alerts quiet remove neonatal/21:00-06:00 --by head-nurse
    """


@quiet.command("set")
@click.argument("ward")
@click.option("--from", "begins", required=True, metavar="HH:MM", help="When they begin.")
@click.option("--until", "ends", required=True, metavar="HH:MM",
              help="When they end; the next day, if that is not later.")  # fmt: skip
@click.option("--up-to", type=click.Choice(["low", "medium"]), default="medium", show_default=True,
              help="Alerts of no higher priority than this are not told.")  # fmt: skip
@click.option("--zone", default=own_zone, show_default="this machine's", metavar="NAME",
              help="In which the hours are meant, e.g. Europe/Berlin.")  # fmt: skip
@act_options
@broker_option
def set_hours(
    ward: str,
    begins: str,
    ends: str,
    up_to: str,
    zone: str,
    who: str,
    why: str,
    broker: str | None,
) -> None:
    """Do not tell WARD of lesser alerts at these hours of each day.

    The same hours of a ward are one rule: set again, it is changed.

    \b
    vagitus alerts quiet set neonatal --from 21:00 --until 06:00 --zone Europe/Berlin
    vagitus alerts quiet set nicu --from 12:30 --until 14:00 --up-to low --because "rest"
    """
    from streams.records.quiet_hours import QuietHours

    settings = Settings.read(broker=broker)
    if not settings.alertmanager_url:  # as the workers': without it nobody keeps the rule
        raise AlertmanagerError(f"Say where Alertmanager is: set {PREFIX}ALERTMANAGER_URL.")
    try:
        rule = QuietHours(ward, begins, ends, zone, up_to, int(time.time() * 1000), who, why)
    except RefusedMessage as error:
        raise click.UsageError(f"{error}.") from None
    _change(settings, rule.id, rule, ActKind.QUIET_HOURS_SET)
    click.echo(f"{rule.id}: {_said(rule)}.")
    warn_of_nobody(settings, ward=ward)


@quiet.command("list")
@broker_option
def list_hours(broker: str | None) -> None:
    """List the quiet hours of all wards.

    \b
    vagitus alerts quiet list
    """
    rules = _read(Settings.read(broker=broker))
    for name, rule in sorted(rules.items()):
        from_ms, until_ms = rule.window(int(time.time() * 1000))
        now = f"  (now, until {local(until_ms):%H:%M})" if from_ms <= time.time() * 1000 else ""
        why = f": {rule.why}" if rule.why else ""
        click.echo(f"{name}  {_said(rule)}{now}, {rule.who}{why}")
    if not rules:
        click.echo("There are no quiet hours.")


@quiet.command("remove")
@click.argument("rule")
@act_options
@broker_option
def remove_hours(rule: str, who: str, why: str, broker: str | None) -> None:
    """Tell a ward of everything again: remove RULE, as `vagitus alerts quiet list` names it.

    \b
    vagitus alerts quiet remove neonatal/21:00-06:00 --by head-nurse
    """
    settings = Settings.read(broker=broker)
    _change(settings, rule, None, ActKind.QUIET_HOURS_REMOVED, who, why)
    click.echo(f"{rule} is removed.")


def _change(
    settings: Settings,
    name: str,
    rule: "QuietHours | None",
    what: ActKind,
    who: str = "",
    why: str = "",
) -> None:
    """Put a rule on the broker, or take it back, and put that on the timeline: both or neither."""
    from streams.timeline.store import TimelineStore, timeline_url

    before = _read(settings).get(name)
    told = rule or before
    if told is None:
        raise VagitusError("There are no such quiet hours: `vagitus alerts quiet list` shows them.")
    if rule is not None:
        who, why = rule.who, rule.why
    remark = f"{told.begins}-{told.ends} {told.zone}, up to {told.up_to}"
    remark += f": {why}" if why else ""
    with closing(TimelineStore(timeline_url(settings))) as store:
        asyncio.run(_publish(settings, name, rule))
        try:
            record_act(store, what, who, remark=remark, ward=told.ward)
        except VagitusError:
            asyncio.run(_publish(settings, name, before))
            raise


async def _publish(settings: Settings, name: str, rule: "QuietHours | None") -> None:
    from aiokafka.errors import KafkaError

    from streams.kafka.topics import QUIET_HOURS
    from streams.play import Publisher

    async with Publisher(settings) as publisher:
        try:
            value = rule.to_json() if rule else None
            await (await publisher.send(QUIET_HOURS, name.encode(), value))
        except KafkaError as error:
            raise BrokerError(f"The broker did not take quiet hours: {error}.") from None


def _read(settings: Settings) -> dict[str, "QuietHours"]:
    from streams.agents.quiet import read_quiet_hours

    return asyncio.run(read_quiet_hours(settings))


def _said(rule: "QuietHours") -> str:
    kinds = " and ".join(rule.quieted)
    return f"{kinds} alerts are not told from {rule.begins} to {rule.ends}, {rule.zone}"
