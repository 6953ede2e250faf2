"""Options that the measurements of the personal model have in common."""

from collections.abc import Callable
from pathlib import Path

import click

FOLDER = "runs/deviation"


def run_option(kept: str) -> Callable:
    """`--run`: the folder of what is `kept` from one run to the next, as `folder`."""
    return click.option(
        "--run",
        "folder",
        default=FOLDER,
        show_default=True,
        type=click.Path(file_okay=False, path_type=Path),
        help=kept,
    )


def page_option(page: Path, shown: str) -> Callable:
    """`--page`: where the result is written, as `target`."""
    return click.option(
        "--page",
        "target",
        default=page,
        show_default=shown,
        type=click.Path(dir_okay=False, path_type=Path),
    )
