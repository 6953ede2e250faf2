"""The command `vagitus-train`: trains the models that ship, from a corpus of recordings."""

import os

# Before numpy is loaded, which reads it once. Sums in another order are other figures, and small
# networks are slower on more threads than on one; torch has its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click

from models.lazy_group import LazyGroup

COMMANDS = {
    "detector": "models.detector.commands",
    "embedder": "models.identity.train",
    "ward": "models.deviation.commands",
}


@click.group(
    cls=LazyGroup, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
def main() -> None:
    """Train the models of Vagitus on your own recordings.

    VAGITUS_DATA names a folder with manifest.csv. Train in this order: detector fit, embedder,
    ward. Each command writes a log and checkpoints into its run folder and can be interrupted.
    """
