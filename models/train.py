"""The command `vagitus-train`: trains the models that ship, from a corpus of recordings."""

import importlib

import click

COMMANDS = {
    "detector": "models.detector.train",
    "embedder": "models.identity.train",
    "ward": "models.deviation.fit",
}


class _TrainingGroup(click.Group):
    """Imports torch only for the command that is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        try:
            return importlib.import_module(COMMANDS[name]).command
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{error.name} is missing: pip install 'vagitus[train]'."
            ) from None


@click.group(cls=_TrainingGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train the models of Vagitus on your own recordings.

    VAGITUS_DATA names a folder with manifest.csv. Train in this order: detector, embedder, ward.
    Each command writes a log and checkpoints into its run folder and can be interrupted.
    """
