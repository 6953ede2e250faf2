"""Options that several commands share, and kinds of values."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from streams.settings import PREFIX, Settings

broker_option = click.option(
    "--broker",
    metavar="HOST:PORT",
    help=f"Kafka bootstrap address; otherwise {PREFIX}BROKER, or 127.0.0.1:9092.",
)
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType):
    """How long, as 90, 90s, 10m, 24h or 2d; at least a second."""

    name = "time"

    def convert(self, value: object, param, ctx) -> float:
        """Seconds."""
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)", str(value))
        seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
        if seconds < 1:
            self.fail(
                f"{value!r} is not a time of a second or more, as 90, 10m or 24h.", param, ctx
            )
        return seconds


class Speed(click.ParamType):
    """How many seconds of sound a second, or `max`."""

    name = "speed"

    def convert(self, value: object, param, ctx) -> float | None:
        """The factor; None does not wait at all."""
        if value == "max":
            return None
        try:
            speed = float(str(value))
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            self.fail("a number above 0, or `max`", param, ctx)
        return speed

    def shell_complete(self, ctx, param, incomplete: str) -> list[CompletionItem]:
        """What is usual."""
        return [CompletionItem(text) for text in ("1", "12", "max") if text.startswith(incomplete)]


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
