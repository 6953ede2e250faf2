"""The command `vagitus`: parses, calls, prints. Each command lives in `streams/commands`."""

import importlib
import logging
import os
import sys

# Before numpy is loaded, which reads it once: BLAS would let a second core spin for each cry.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click

from streams.errors import VagitusError

# By what one comes for. Loaded when asked for: `vagitus score` need not wait for Faust.
SECTIONS = {
    "Try it": {
        "demo": "streams.commands.live",
        "score": "streams.commands.recordings",
        "embed": "streams.commands.recordings",
        "replay": "streams.commands.recordings",
        "broker": "streams.commands.operate",
    },
    "Run it": {
        "topics": "streams.commands.operate",
        "worker": "streams.commands.operate",
        "play": "streams.commands.play",
        "doctor": "streams.commands.operate",
        "health": "streams.commands.health",
        "rebuild": "streams.commands.rebuild",
    },
    "Who lies where": {
        "admit": "streams.commands.admissions",
        "transfer": "streams.commands.admissions",
        "discharge": "streams.commands.admissions",
        "admissions": "streams.commands.admissions",
        "adt": "streams.commands.adt",
    },
    "What staff see and do": {
        "timeline": "streams.commands.timeline",
        "baseline": "streams.commands.baseline",
        "alerts": "streams.commands.alerts",
    },
    "Other": {
        "evaluate": "streams.commands.evaluate",
        "completion": "streams.commands.completion",
    },
}
COMMANDS = {name: module for section in SECTIONS.values() for name, module in section.items()}
# Longer than any first sentence: none is cut off, it goes on in the next line.
SHORT_HELP_LENGTH = 200
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """All commands by section, with their whole first sentence."""
        for title, section in SECTIONS.items():
            with formatter.section(title):
                rows = [(name, self._sentence(ctx, name)) for name in section]
                formatter.write_dl(rows)

    def _sentence(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        assert command is not None
        return command.get_short_help_str(SHORT_HELP_LENGTH)

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

    \b
    vagitus demo                        all of it at once, live in the terminal
    vagitus score recording.wav         what the detector hears, without a broker
    vagitus COMMAND --help              what a command does, with examples

    Settings are environment variables VAGITUS_<NAME>; `vagitus worker --help` lists them.

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
