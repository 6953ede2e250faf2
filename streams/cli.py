"""The command `vagitus`: parses, calls, prints. Each command lives in `streams/commands`."""

import importlib
import logging
import sys

import click

from streams.errors import VagitusError

# Loaded when asked for: `vagitus --help` need not wait for Faust and the models.
COMMANDS = {
    "demo": "streams.commands.live",
    "worker": "streams.commands.operate",
    "play": "streams.commands.play",
    "score": "streams.commands.recordings",
    "embed": "streams.commands.recordings",
    "replay": "streams.commands.recordings",
    "timeline": "streams.commands.timeline",
    "baseline": "streams.commands.baseline",
    "rebuild": "streams.commands.rebuild",
    "evaluate": "streams.commands.evaluate",
    "topics": "streams.commands.operate",
    "admit": "streams.commands.admissions",
    "transfer": "streams.commands.admissions",
    "discharge": "streams.commands.admissions",
    "admissions": "streams.commands.admissions",
    "adt": "streams.commands.admissions",
    "alerts": "streams.commands.alerts",
    "doctor": "streams.commands.operate",
    "health": "streams.commands.health",
    "broker": "streams.commands.operate",
    "completion": "streams.commands.completion",
}
FAILURE = 1
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return getattr(importlib.import_module(COMMANDS[name]), name)

    def resolve_command(self, ctx: click.Context, args: list[str]):
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            ctx.fail(f"There is no command {args[0]!r}. There are: {', '.join(COMMANDS)}.")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vagitus")
def cli() -> None:
    """Hears when an infant cries, learns how that infant usually cries, and says when its cry
    moves away from its own baseline.

    Try it without any broker: `vagitus score recording.wav`. See all of it at once: `vagitus
    demo`. Settings are environment variables VAGITUS_<NAME>; `vagitus worker --help` lists them.

    Vagitus supports staff. It is not a certified medical device.
    """


def main() -> None:
    """Entry point: every expected error is one sentence and exit status 1."""
    # What goes wrong with the broker is said by our own errors; the worker sets up its own log.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        status = cli.main(prog_name="vagitus", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except VagitusError as error:
        click.echo(f"vagitus: {error}", err=True)
        sys.exit(FAILURE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        click.echo(f"vagitus: {error.strerror or error}{where}", err=True)
        sys.exit(FAILURE)
