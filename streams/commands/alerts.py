"""`vagitus alerts`: which there are, and who asked for quiet, for how long and why."""

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from streams.commands.admissions import warn_of_nobody
from streams.commands.options import act_options
from streams.commands.quiet import quiet
from streams.commands.timeline import known_infants
from streams.errors import AlertmanagerError, VagitusError
from streams.settings import PREFIX, Settings
from streams.timeline.acts import ActKind, record_act
from streams.timeline.figures import local

if TYPE_CHECKING:
    from streams.alerting.silences import Matcher, Silences

UNITS_MS = {"m": 60_000, "h": 3_600_000}
# Longer is no quiet hour but a decision about alert rules, and somebody would forget it.
LONGEST_MS = 24 * UNITS_MS["h"]


class Span(click.ParamType):
    """How long, as 30m or 2h; at most a day."""

    name = "time"

    def convert(self, value: object, param, ctx) -> int:
        """Milliseconds."""
        found = re.fullmatch(r"(\d{1,4})([mh])", str(value))
        span = int(found[1]) * UNITS_MS[found[2]] if found else 0
        if not 0 < span <= LONGEST_MS:
            self.fail(f"{value!r} is not a time of at most a day, as 30m or 2h.", param, ctx)
        return span


def silence_options(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """How long, who and why."""
    span = click.option("--for", "span_ms", type=Span(), default=default, show_default=True,
                        help="How long, as 30m or 2h; at most a day.")  # fmt: skip
    return lambda command: act_options(span(command))


@click.group()
def alerts() -> None:
    """See which alerts there are; acknowledge or silence some for a time; set quiet hours.

    Alertmanager keeps silences over a restart, and ends them by itself. Who asked for which, when
    and why stands on the timeline. Dashboards go on showing what is silent.

    \b
    vagitus alerts list
    vagitus alerts acknowledge infant-07f3 --by nurse-4
    vagitus alerts silence infant-07f3 --for 2h --by nurse-4 --because "blood is being taken"
    vagitus alerts quiet set neonatal --from 21:00 --until 06:00 --by head-nurse
    """


alerts.add_command(quiet)


@alerts.command("list")
def list_alerts() -> None:
    """List active alerts, the most urgent first, and the silences in force.

    \b
    vagitus alerts list
    """
    silences = _silences(Settings.read())
    order = ("high", "medium", "low", "none")
    found = [alert for alert in silences.alerts() if alert["labels"]["severity"] != "none"]
    found.sort(key=lambda a: (order.index(a["labels"]["severity"]), a["startsAt"]))
    for alert in found:
        quiet = "  (silenced)" if alert["status"]["silencedBy"] else ""
        severity, summary = alert["labels"]["severity"], alert["annotations"]["summary"]
        click.echo(f"{severity:6}  {summary}{quiet}")
    if not found:
        click.echo("There are no alerts.")
    for silence in silences.all():
        what = ", ".join(map(str, silence.matchers))
        later = silence.from_ms > time.time() * 1000
        when = f"from {local(silence.from_ms):%H:%M} " if later else ""
        when += f"until {local(silence.until_ms):%H:%M}"
        click.echo(f"silent  {what} {when}, {silence.who}: {silence.why}  [{silence.id}]")


@alerts.command()
@click.argument("infant", required=False, shell_complete=known_infants)
@click.option("--ward", help="With --bed: everything about a bed, its monitor too.")
@click.option("--bed", help="With --ward: everything about a bed, its monitor too.")
@click.option("--alert", metavar="NAME", help="Only this one, e.g. InfantCryingUnattended.")
@silence_options("1h")
def silence(
    infant: str | None,
    ward: str | None,
    bed: str | None,
    alert: str | None,
    span_ms: int,
    who: str,
    why: str,
) -> None:
    """Silence the alerts of INFANT's cries, or of a bed, for a time.

    An infant's silence says nothing about its monitor: should that fall silent, you are told. A
    bed's silences everything there, as when nobody lies in it for an hour.

    \b
    vagitus alerts silence infant-07f3 --for 2h --by nurse-4 --because "blood is being taken"
    vagitus alerts silence --ward nicu --bed cot-3 --for 30m --because "bath"
    """
    from streams.alerting.silences import OF_CRIES, Matcher

    if infant and not (ward or bed):
        whose = [Matcher("infant", infant)]
        name = Matcher("alertname", alert) if alert else Matcher("alertname", OF_CRIES, True)
        matchers = [*whose, name]
    elif ward and bed and not infant:
        matchers = [Matcher("ward", ward), Matcher("bed", bed)]
        matchers += [Matcher("alertname", alert)] if alert else []
    else:
        raise click.UsageError("Name an INFANT, or --ward and --bed.")
    where = {"infant": infant or "", "ward": ward or "", "bed": bed or ""}
    until_ms = _add(ActKind.ALERTS_SILENCED, matchers, span_ms, who, why, where)
    click.echo(f"{infant or f'{ward}, {bed}'}: silent until {local(until_ms):%H:%M}.")
    warn_of_nobody(Settings.read(), infant, ward, bed)


@alerts.command()
@click.argument("infant", shell_complete=known_infants)
@click.option("--alert", metavar="NAME", help="Only this one; otherwise all that are active.")
@silence_options("30m")
def acknowledge(infant: str, alert: str | None, span_ms: int, who: str, why: str) -> None:
    """Say that you have seen the active alerts of INFANT: they are not repeated for a time.

    Others of the infant come through, and these again if they are still so afterwards.

    \b
    vagitus alerts acknowledge infant-07f3 --by nurse-4
    vagitus alerts acknowledge infant-07f3 --alert InfantDrifting --for 12h --by physician-2
    """
    from streams.alerting.silences import Matcher

    active = {found["labels"]["alertname"] for found in _silences(Settings.read()).alerts(infant)}
    names = sorted(active & {alert} if alert else active)
    if not names:
        raise VagitusError(f"{infant} has no such alert now: `vagitus alerts list` shows all.")
    for name in names:
        matchers = [Matcher("infant", infant), Matcher("alertname", name)]
        remark = f"{name}: {why}" if why else name
        _add(ActKind.ALERT_ACKNOWLEDGED, matchers, span_ms, who, remark, {"infant": infant})
        click.echo(f"{infant}: {name} is acknowledged.")


@alerts.command()
@click.argument("silence_id")
@act_options
def lift(silence_id: str, who: str, why: str) -> None:
    """End a silence before its time, by the id that `vagitus alerts list` shows.

    \b
    vagitus alerts lift 8e6fd3a1-… --by nurse-4
    """
    from streams.alerting.quiet import rule_of

    settings = Settings.read()
    silences = _silences(settings)
    found = next((one for one in silences.all() if one.id == silence_id), None)
    if found is None:
        raise VagitusError("There is no such silence: `vagitus alerts list` shows them.")
    if rule := rule_of(found):
        raise VagitusError(f"It is of quiet hours: `vagitus alerts quiet remove {rule}`.")
    labels = {matcher.name: matcher.value for matcher in found.matchers}
    where = {name: labels.get(name, "") for name in ("infant", "ward", "bed")}
    with _timeline(settings) as store:
        silences.lift(silence_id)
        record_act(store, ActKind.SILENCE_LIFTED, who, remark=why, **where)
    click.echo("The silence is lifted.")


def _add(
    what: ActKind,
    matchers: list["Matcher"],
    span_ms: int,
    who: str,
    why: str,
    where: dict[str, str],
) -> int:
    """Silence, and put it on the timeline: both or neither; returns until when."""
    settings = Settings.read()
    silences = _silences(settings)
    until_ms = int(time.time() * 1000) + span_ms
    with _timeline(settings) as store:
        silence_id = silences.add(matchers, until_ms, who, why)
        try:
            record_act(store, what, who, remark=why, until_ms=until_ms, **where)
        except VagitusError:
            silences.lift(silence_id)
            raise
    return until_ms


def _silences(settings: Settings) -> "Silences":
    from streams.alerting.silences import Silences

    if not settings.alertmanager_url:
        raise AlertmanagerError(f"Say where Alertmanager is: set {PREFIX}ALERTMANAGER_URL.")
    return Silences(settings.alertmanager_url)


def _timeline(settings: Settings):
    from contextlib import closing

    from streams.timeline.store import TimelineStore, timeline_url

    return closing(TimelineStore(timeline_url(settings)))
