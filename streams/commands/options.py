"""Options that several commands share."""

import inspect
from collections.abc import Callable
from typing import Any

import click

from streams.settings import PREFIX, Settings

broker_option = click.option(
    "--broker",
    metavar="HOST:PORT",
    help=f"Kafka bootstrap address; otherwise {PREFIX}BROKER, or 127.0.0.1:9092.",
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress bar.")


def act_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who does it, and why."""
    by = click.option("--by", "who", default="staff", show_default=True, metavar="NAME",
                      help="Whoever does it: a pseudonym or a role.")  # fmt: skip
    because = click.option("--because", "why", default="", metavar="TEXT",
                           help="Why, in your own words: it stands on the timeline.")  # fmt: skip
    return by(because(command))


def settings_table() -> str:
    """All settings with their defaults, for `--help`."""
    lines = []
    for name, field in Settings.model_fields.items():
        lines.append(f"  {PREFIX}{name.upper()}  [{field.default}]")
        lines.append(f"      {field.description}")
    return "\n".join(lines)


def with_settings_help(command: Callable[..., Any]) -> Callable[..., Any]:
    """Append the table of settings to a command's help."""
    text = inspect.cleandoc(command.__doc__ or "")
    command.__doc__ = f"{text}\n\n\b\nSettings:\n{settings_table()}\n"
    return command
