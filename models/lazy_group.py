"""A command group that imports a command only when it is used."""

import importlib

import click


class LazyGroup(click.Group):
    """Names of commands and the modules that define them, as `command`.

    Args:
        modules: by the command's name; what they import (torch, librosa) stays unloaded until then.
    """

    def __init__(self, *args: object, modules: dict[str, str], **settings: object) -> None:
        super().__init__(*args, **settings)
        self.modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.modules:
            return None
        try:
            return importlib.import_module(self.modules[name]).command
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{error.name} is missing: pip install 'vagitus[train]'."
            ) from None
