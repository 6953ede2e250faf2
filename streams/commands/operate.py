"""`vagitus worker`, `topics`, `doctor` and `broker`: running it."""

import asyncio
import contextlib
import threading
from pathlib import Path

import click

from streams.commands.options import broker_option, with_settings_help
from streams.errors import VagitusError
from streams.settings import Settings

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@click.command()
@broker_option
@click.option("--metrics-port", type=int, help="Port of /metrics; 0 takes a free one.")
@click.option(
    "--metrics-address-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the address of /metrics into this file once it is served.",
)
@click.option(
    "--until-stdin-ends",
    is_flag=True,
    help="End with standard input: for a program that starts a worker and may itself be killed.",
)
@click.option("--log-level", type=click.Choice(LOG_LEVELS), default="INFO", show_default=True)
@with_settings_help
def worker(
    broker: str | None,
    metrics_port: int | None,
    metrics_address_file: Path | None,
    until_stdin_ends: bool,
    log_level: str,
) -> None:
    """Run one worker: score, embed, deviate, write the timeline.

    A thin cover over `faust worker`. Start one for each core; they share the partitions. The
    topics must exist: `vagitus topics create`. SIGTERM ends it cleanly; whatever ends it, nothing
    is lost.

    The timeline is a SQLite file in the state directory. That is for the workers of one machine;
    those of several need one PostgreSQL, named by VAGITUS_TIMELINE_URL. While it does not answer,
    rows wait on the broker and everything else goes on.

    \b
    vagitus worker --broker kafka:9092 --log-level WARNING
    """
    from streams.worker import end_with_stdin, run_worker

    if until_stdin_ends:
        end_with_stdin()
    settings = Settings.read(broker=broker, metrics_port=metrics_port)
    asyncio.run(_require_topics(settings))
    run_worker(settings, log_level, metrics_address_file)


async def _require_topics(settings: Settings) -> None:
    from streams.kafka.topics import no_topic, partition_counts, topic_configs

    found = await partition_counts(settings)
    missing = sorted(set(topic_configs(settings)) - set(found))
    if missing:
        raise no_topic(settings, missing[0])
    for name, count in found.items():
        if count != settings.partitions:
            raise VagitusError(
                f"Topic {name} has {count} partitions, not {settings.partitions}: "
                "set VAGITUS_PARTITIONS to what the broker has."
            )


@click.group()
def topics() -> None:
    """Create or list the topics.

    \b
    vagitus topics create
    vagitus topics list
    """


@topics.command("create")
@broker_option
def topics_create(broker: str | None) -> None:
    """Create the topics that are missing, with their retention and partitions.

    \b
    vagitus topics create --broker kafka:9092
    """
    from streams.kafka.topics import create_topics

    created = asyncio.run(create_topics(Settings.read(broker=broker)))
    for name in created:
        click.echo(f"created {name}")
    if not created:
        click.echo("All topics exist.")


@topics.command("list")
@broker_option
def topics_list(broker: str | None) -> None:
    """List the topics: partitions, and what they are meant to keep.

    \b
    vagitus topics list --broker kafka:9092
    """
    from streams.kafka.topics import partition_counts, topic_configs

    settings = Settings.read(broker=broker)
    found = asyncio.run(partition_counts(settings))
    for name, config in topic_configs(settings).items():
        state = f"{found[name]:4} partitions" if name in found else "missing        "
        kept = ", ".join(f"{key}={value}" for key, value in config.items())
        click.echo(f"{name:36} {state}  {kept}")


@click.command()
@broker_option
def doctor(broker: str | None) -> None:
    """Check the broker, the topics and their settings, the models and the clock.

    Every line that fails says what to do; the exit status is then 1.

    \b
    vagitus doctor --broker kafka:9092
    """
    from streams.doctor import examine

    findings = asyncio.run(examine(Settings.read(broker=broker)))
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.good else click.style("FAIL", fg="red")
        click.echo(f"{mark}  {finding.what}: {finding.detail}")
        if not finding.good:
            click.echo(f"      → {finding.advice}")
    if not all(finding.good for finding in findings):
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=9092, show_default=True,
              help="0 takes a free one.")  # fmt: skip
def broker(port: int) -> None:
    """Run the embedded broker with our topics, for trying out: all is gone when it ends.

    \b
    vagitus broker --port 9092
    """
    from streams.kafka.broker import EmbeddedBroker
    from streams.kafka.topics import topic_configs

    settings = Settings.read()
    with EmbeddedBroker(port) as running:
        for name in topic_configs(settings):
            running.create_topic(name, settings.partitions)
        click.echo(f"Embedded broker at {running.address}; Ctrl-C ends it, and all it holds.")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
