"""`vagitus completion`: shell completion, from click itself."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash:  eval "$(vagitus completion bash)"
    zsh:   eval "$(vagitus completion zsh)"
    fish:  vagitus completion fish | source
    """
    from streams.cli import cli

    completion_class = get_completion_class(shell)
    assert completion_class is not None
    click.echo(completion_class(cli, {}, "vagitus", "_VAGITUS_COMPLETE").source())
