"""The command `vagitus-train detector`: the detector that ships, and the paper that it follows."""

import click

from models.lazy_group import LazyGroup

COMMANDS = {
    "teach": "models.detector.teacher",
    "fit": "models.detector.train",
    "advise": "models.detector.advice",
    "evaluate": "models.detector.evaluate",
    "paper": "models.detector.paper.commands",
}


@click.group("detector", cls=LazyGroup, modules=COMMANDS)
def command() -> None:
    """Train the cry detector on the corpus that VAGITUS_DATA names."""
