"""`vagitus timeline`: an infant's cries over days, in the terminal, as a page or as a file."""

import difflib
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import click
from click.shell_completion import CompletionItem
from rich.console import Console

from streams import words
from streams.errors import TimelineError, VagitusError
from streams.settings import PREFIX, Settings

AGO = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
EXPORTS = (".csv", ".parquet")
PAGES = (".html",)

timeline_option = click.option(
    "--timeline", "url", metavar="URL",
    help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE; otherwise "
    f"{PREFIX}TIMELINE_URL, or the SQLite file in {PREFIX}STATE_DIR.",
)  # fmt: skip


class Moment(click.ParamType):
    """A time: ISO 8601, of this machine's zone if it names none, or how long ago, as `7d`."""

    name = "time"

    def convert(self, value: object, param, ctx) -> int:
        """Milliseconds since 1970 UTC."""
        text = str(value)
        try:
            if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
                moment = datetime.now() - int(ago[1]) * AGO[ago[2]]
            else:
                moment = datetime.fromisoformat(text)
            return round(moment.timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{text!r} is no time: as 2026-01-31, 2026-01-31T08:15 or 7d.", param, ctx)


class OutFile(click.Path):
    """A file that is about to be written, in a folder that is there, of one of some kinds."""

    def __init__(self, suffixes: tuple[str, ...]) -> None:
        super().__init__(dir_okay=False, path_type=Path)
        self._suffixes = suffixes

    def convert(self, value, param, ctx) -> Path:
        """The path."""
        path = super().convert(value, param, ctx)
        if path.suffix not in self._suffixes:
            self.fail(f"{path} does not end in {' or '.join(self._suffixes)}.", param, ctx)
        if not path.absolute().parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        return path


def known_infants(ctx: click.Context, _param, incomplete: str) -> list[CompletionItem]:
    """The infants on the timeline whose names begin so; none where there is no timeline."""
    from streams.timeline.store import TimelineStore, timeline_url

    try:
        settings = Settings.read(timeline_url=ctx.params.get("url"))
        known = TimelineStore(timeline_url(settings)).infants()
    except VagitusError:
        return []
    return [CompletionItem(name) for name in known if name and name.startswith(incomplete)]


@click.command()
@click.argument("infant", required=False, shell_complete=known_infants)
@click.option("--since", "since_ms", type=Moment(), metavar="TIME",
              help="From here on: 2026-01-31, 2026-01-31T08:15, or 7d, 12h ago.")  # fmt: skip
@click.option("--until", "until_ms", type=Moment(), metavar="TIME", help="Before here.")
@click.option("--out", type=OutFile(PAGES), metavar="FILE.html",
              help="Draw one page that needs nothing else.")  # fmt: skip
@click.option("--export", "export_to", type=OutFile(EXPORTS), metavar="FILE.csv|.parquet",
              help="Write the rows; without INFANT those of all.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@timeline_option
def timeline(
    infant: str | None,
    since_ms: int | None,
    until_ms: int | None,
    out: Path | None,
    export_to: Path | None,
    as_json: bool,
    url: str | None,
) -> None:
    """Show how INFANT has cried: deviation over days, what the gate decided, drift, minutes.

    Without INFANT it lists who is on the timeline. Workers write the timeline; acts of staff are
    on it too. Times are this machine's.

    \b
    vagitus timeline infant-07f3 --since 7d
    vagitus timeline infant-07f3 --out infant-07f3.html
    vagitus timeline --export ward.parquet --since 2026-01-01 --until 2026-02-01
    vagitus timeline infant-07f3 --json | jq -c 'select(.reason == "deviant") | [.at, .sigma]'
    """
    from streams.timeline.export import export, export_rows
    from streams.timeline.store import TimelineStore, timeline_url

    if as_json and (out or export_to):
        raise click.UsageError("Give --json, or files to write.")
    if out and infant is None:
        raise click.UsageError("A page is of one INFANT.")
    store = TimelineStore(timeline_url(Settings.read(timeline_url=url)))
    try:
        known = store.infants()
        if infant is not None and infant not in known:
            _check_unknown(store, infant, known)
        if as_json:
            for row in export_rows(store, infant, since_ms, until_ms):
                at = row.pop("at").isoformat(timespec="milliseconds")
                click.echo(json.dumps({"kind": row.pop("kind"), "at": at, **row}))
            return
        if export_to:
            count = export(export_rows(store, infant, since_ms, until_ms), export_to)
            click.echo(f"{count} rows written to {export_to}")
        if infant is None and not export_to:
            _list(known)
        if infant is not None and (out or not export_to):
            _draw(store, infant, since_ms, until_ms, out)
    finally:
        store.close()


def _check_unknown(store, infant: str, known: dict) -> None:
    if next(store.acts(infant), None) is not None:
        return  # staff has dealt with it, though it has not cried
    near = difflib.get_close_matches(infant, [name for name in known if name], cutoff=0.0)
    there = f"there is: {', '.join(near)}" if near else "there is nobody yet"
    if len(known) > len(near):
        there += ", and others, whom `vagitus timeline` lists"
    raise TimelineError(f"{infant} is not on the timeline at {store.address}; {there}.")


def _draw(store, infant: str, since_ms: int | None, until_ms: int | None, out: Path | None) -> None:
    from streams.timeline.chart import chart
    from streams.timeline.page import page

    cries = list(store.cries(infant, since_ms, until_ms))
    acts = list(store.acts(infant, since_ms, until_ms))
    if not cries:
        raise TimelineError(f"{infant} has no cry in that time: see `vagitus timeline`.")
    if out:
        out.write_text(page(cries, acts), encoding="utf-8")
        click.echo(f"{words.cries(len(cries))} drawn in {out}")
    else:
        console = Console()
        console.print(chart(cries, acts, console.width))


def _list(known: dict[str, tuple[int, int, int]]) -> None:
    from streams.board import tight_table
    from streams.timeline.figures import local

    table = tight_table("On the timeline")
    table.add_column("infant")
    table.add_column("cries", justify="right")
    for name in ("first", "last"):
        table.add_column(name, no_wrap=True)
    for infant, (count, first, last) in known.items():
        times = (f"{local(moment):%Y-%m-%d %H:%M}" for moment in (first, last))
        table.add_row(infant or "(no admission)", str(count), *times)
    Console().print(table)
