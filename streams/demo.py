"""The demo: an embedded broker, a worker, a ward, and the board, in one command."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from streams.board import Board
from streams.errors import VagitusError
from streams.kafka.broker import EmbeddedBroker
from streams.kafka.connection import connection
from streams.kafka.topics import CRY_SCORES, DEAD_LETTERS, DEVIATIONS, topic_configs
from streams.play import Played, Publisher, play
from streams.records.admission import Admission
from streams.records.cry_scores import CryScores
from streams.records.deviation import DeviationRecord
from streams.settings import PLAINTEXT, PREFIX, Settings
from streams.sources.source import Source

WORKER_START_SECONDS = 60.0
DRAIN_SECONDS = 30.0
STOP_SECONDS = 20.0
REFRESHES_PER_SECOND = 4
# Above zero once the worker scores; from then on nothing waits for its start.
READY_SERIES = "vagitus_owned_partitions"
OPEN_CRIES = "vagitus_cry_active"
CLOSED_CRIES = 'vagitus_segments_total{stage="scored"}'
LOOK_SECONDS = 0.2
# A worker counts a cry a moment after it has published its last score.
LOOKS_TO_BE_SURE = 3


@dataclass(slots=True)
class DemoResult:
    """What a demo run gave."""

    board: Board
    played: Played
    drained: bool
    worker_status: int | None = field(default=None)


async def run_demo(
    source: Source,
    admissions: list[Admission],
    speed: float,
    duration_seconds: float | None,
    console: Console,
) -> DemoResult:
    """Run until the duration is over, the source ends, or SIGINT or SIGTERM comes.

    Args:
        source: what is played.
        admissions: who lies where.
        speed: seconds of sound a second.
        duration_seconds: of wall time; None for ever.
        console: where the board is drawn; drawn live only on a terminal.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with EmbeddedBroker() as broker, tempfile.TemporaryDirectory(prefix="vagitus-") as folder:
        settings = Settings.read(
            broker=broker.address, metrics_port=0, state_dir=Path(folder) / "worker", **PLAINTEXT
        )
        for name in topic_configs(settings):
            broker.create_topic(name, settings.partitions)
        async with _worker(settings, Path(folder), console) as worker:
            board = Board((admission.place() for admission in admissions), settings.onset_score)
            watcher = asyncio.create_task(_watch(board, settings))
            try:
                async with Publisher(settings) as publisher:
                    for admission in admissions:
                        await publisher.admit(admission)
                    await worker.ready(stop)
                    if worker.address:
                        console.print(f"Metrics: [bold]{worker.address}[/]")
                    console.print(f"Worker log: {worker.log}")
                    title = f"Vagitus: a ward at {speed:g} times real time; Ctrl-C ends it"
                    with _live(board, title, console):
                        played, ended = await _play_until(
                            source, publisher, speed, duration_seconds, stop, worker
                        )
                        drained = await _drain(board, played, worker, open_cries_too=ended)
            finally:
                watcher.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watcher
            result = DemoResult(board, played, drained)
        result.worker_status = worker.status
    return result


class _Worker:
    """The worker process."""

    def __init__(self, process: subprocess.Popen, address_file: Path, log: Path) -> None:
        self.process = process
        self.log = log
        self._address_file = address_file
        self.address = ""
        self.status: int | None = None

    async def ready(self, stop: asyncio.Event) -> None:
        """Wait until it owns its partitions."""
        deadline = time.monotonic() + WORKER_START_SECONDS
        while not stop.is_set():
            self.check()
            if self._address_file.exists():
                self.address = self._address_file.read_text()
                if self.address and await asyncio.to_thread(self.total, READY_SERIES):
                    return
            if time.monotonic() > deadline:
                raise VagitusError(f"The worker did not start; its log is {self.log}.")
            await asyncio.sleep(LOOK_SECONDS)

    def check(self) -> None:
        """Raise VagitusError if it has ended."""
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-1:]
            raise VagitusError(f"The worker ended by itself: {' '.join(tail)}")

    def total(self, series: str) -> float:
        """The sum of the series that begin so at /metrics; 0 while nobody answers there."""
        if not self.address:
            return 0.0
        with contextlib.suppress(OSError), urlopen(self.address, timeout=2) as page:
            lines = page.read().decode().splitlines()
            return sum(float(line.split()[-1]) for line in lines if line.startswith(series))
        return 0.0


@contextlib.asynccontextmanager
async def _worker(settings: Settings, folder: Path, console: Console) -> AsyncIterator[_Worker]:
    address_file = folder / "metrics-address"
    log = Path(tempfile.gettempdir()) / f"vagitus-demo-worker-{os.getpid()}.log"
    environment = {
        **os.environ,
        **{PREFIX + name.upper(): value for name, value in PLAINTEXT.items()},
        "VAGITUS_BROKER": settings.broker,
        "VAGITUS_METRICS_PORT": "0",
        "VAGITUS_STATE_DIR": str(settings.state_dir),
    }
    command = [sys.executable, "-c", "from streams.cli import main; main()", "worker"]
    command += ["--metrics-address-file", str(address_file), "--until-stdin-ends"]
    console.print("Starting the broker and a worker …")
    with log.open("wb") as file:
        # A session of its own: Ctrl-C is ours to handle, the worker ends when we say so. Our end
        # of its standard input closes with us, however we end.
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    worker = _Worker(process, address_file, log)
    try:
        yield worker
    finally:
        process.terminate()
        try:
            worker.status = await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            worker.status = process.wait()
        process.stdin.close()
        if worker.status == -signal.SIGTERM:
            worker.status = 0  # it was told to end before it listened for that


async def _play_until(
    source: Source,
    publisher: Publisher,
    speed: float,
    duration_seconds: float | None,
    stop: asyncio.Event,
    worker: _Worker,
) -> tuple[Played, bool]:
    """Play until the source or the time is over, or we are told to stop.

    Returns:
        what was played, and whether that is the whole source.
    """
    played = Played()

    def count(chunk) -> None:
        played.chunks[chunk.monitor] = played.chunks.get(chunk.monitor, 0) + 1

    player = asyncio.create_task(play(source, publisher, speed, count))
    stopped = asyncio.create_task(stop.wait())
    began = time.monotonic()
    while not (player.done() or stopped.done()):
        await asyncio.wait({player, stopped}, timeout=0.25, return_when=asyncio.FIRST_COMPLETED)
        worker.check()
        if duration_seconds is not None and time.monotonic() - began >= duration_seconds:
            break
    stopped.cancel()
    if player.done():
        player.result()
        return played, True
    player.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await player
    return played, False


async def _drain(board: Board, played: Played, worker: _Worker, open_cries_too: bool) -> bool:
    """Wait until every chunk has its score, and every cry its place on a timeline.

    Args:
        board: what has come back.
        played: what was sent.
        worker: who has scored it.
        open_cries_too: wait for cries that end only because their monitors fall silent.

    Returns:
        whether every chunk has its score.
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    looks = 0
    while time.monotonic() < deadline and looks < LOOKS_TO_BE_SURE:
        await asyncio.sleep(LOOK_SECONDS)
        open_cries = await asyncio.to_thread(worker.total, OPEN_CRIES) if open_cries_too else 0
        cries = await asyncio.to_thread(worker.total, CLOSED_CRIES)
        settled = len(board.deviations) + board.dead_letters >= cries and not open_cries
        looks = looks + 1 if settled and len(board.scores) >= played.total else 0
    return len(board.scores) >= played.total


async def _watch(board: Board, settings: Settings) -> None:
    """Keep the board up to date from the broker."""
    topics = {
        topic.name(settings): topic.short_name for topic in (CRY_SCORES, DEVIATIONS, DEAD_LETTERS)
    }
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [
            TopicPartition(name, partition)
            for name in topics
            for partition in range(settings.partitions)
        ]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        while True:
            for tp, records in (await consumer.getmany(timeout_ms=100)).items():
                for record in records:
                    _apply(board, topics[tp.topic], record.value)
    finally:
        await consumer.stop()


def _apply(board: Board, topic: str, value: bytes | None) -> None:
    if topic == CRY_SCORES.short_name:
        board.hear(CryScores.from_json(value))
    elif topic == DEVIATIONS.short_name:
        board.say(DeviationRecord.from_json(value))
    else:
        board.dead_letters += 1


@contextlib.contextmanager
def _live(board: Board, title: str, console: Console):
    if not console.is_terminal:
        yield
        return

    class View:
        def __rich__(self) -> Group:
            counts = f"{len(board.scores)} seconds heard, {board.dead_letters} refused"
            return Group(board.table(title), Text(counts, style="dim"))

    with Live(View(), console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True):
        yield
