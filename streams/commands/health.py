"""`vagitus health`: what a container's health check and a pod's probes run."""

import click

from streams.settings import Settings


@click.command()
@click.option("--ready", is_flag=True, help="It must own partitions too, and so hear somebody.")
def health(ready: bool) -> None:
    """Ask this machine's worker whether it makes progress; if not, the exit status is 1.

    Sound that it took must be scored within half a minute, and what it scored be committed within
    one: the times of the alerts ScoringStalled and CommitsStalled. VAGITUS_METRICS_PORT says which
    worker.

    \b
    vagitus health && echo "all is well"
    """
    from streams.health import complaints

    found = complaints(Settings.read(), ready)
    for sentence in found:
        click.echo(sentence)
    if found:
        raise click.exceptions.Exit(1)
    click.echo("The worker makes progress.")
