"""A simulated ward on real servers, for whoever wants the dashboards' queries answered.

An embedded broker and a worker as `vagitus demo` has them, Prometheus with the alert rules, and
PostgreSQL for the timeline. On the ward one infant's voice changes, one monitor is unplugged, one
is overdriven, and one sends damaged seconds now and then.
"""

import asyncio
import contextlib
import dataclasses
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from rich.console import Console

from models.synthesis.ward import SimulatedWard
from streams.demo import run_demo
from streams.errors import VagitusError
from streams.records.admission import Admission
from streams.records.audio_chunk import AudioChunk
from streams.sources.ward import WardSource

PROMETHEUS = Path(__file__).resolve().parent.parent / "deploy" / "prometheus"
COTS = 8
# From the end of the list of cots; the infant that drifts is chosen by the ward.
UNPLUGGED, OVERDRIVEN, DAMAGED = -1, -2, -3
UNPLUGGED_FROM, OVERDRIVEN_FROM, DRIFT_FROM = 0.7, 0.5, 0.75  # shares of the trial
OVERDRIVE = 40.0
DAMAGED_EVERY = 30  # seconds of sound
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Trial:
    """A ward that has been played, and where to ask about it.

    Attributes:
        prometheus: its URL.
        begin, end: seconds since 1970, from the first second played to the last.
        drifting: pseudonym of the infant whose voice has changed.
        settled: of one whose has not.
    """

    prometheus: str
    begin: float
    end: float
    drifting: str
    settled: str


class TroubledWard:
    """A source of chunks: a simulated ward with faults.

    Args:
        ward: who is heard.
        start_ms: capture time of the first second.
        seconds: how long it lasts.
    """

    def __init__(self, ward: SimulatedWard, start_ms: int, seconds: int) -> None:
        self._source = WardSource(ward, start_ms, seconds)
        self._start_ms, self._seconds = start_ms, seconds
        self._monitors = [cot.monitor for cot in ward.cots]
        self.ended_at = 0.0

    def chunks(self) -> Iterator[AudioChunk]:
        """The ward's chunks, as far as its monitors send them."""
        for chunk in self._source.chunks():
            second = (chunk.captured_at_ms - self._start_ms) // 1000
            share = second / self._seconds
            if chunk.monitor == self._monitors[UNPLUGGED] and share >= UNPLUGGED_FROM:
                continue
            if chunk.monitor == self._monitors[OVERDRIVEN] and share >= OVERDRIVEN_FROM:
                loud = np.clip(OVERDRIVE * chunk.waveform(), -1, 1)
                chunk = AudioChunk.from_waveform(
                    monitor=chunk.monitor,
                    sequence=chunk.sequence,
                    captured_at_ms=chunk.captured_at_ms,
                    waveform=loud,
                    sample_rate_hz=chunk.sample_rate_hz,
                )
            if chunk.monitor == self._monitors[DAMAGED] and second % DAMAGED_EVERY == 1:
                chunk = dataclasses.replace(chunk, payload=chunk.payload[: len(chunk.payload) // 3])
            yield chunk
        self.ended_at = time.time()


@contextlib.contextmanager
def trial(folder: Path, seconds: int, speed: float, seed: int = 0) -> Iterator[Trial]:
    """Play a ward; when it has been heard, Prometheus may be asked for as long as this is open.

    The worker takes its settings from the environment: name the timeline's store there.

    Args:
        folder: for Prometheus' data and logs.
        seconds: of sound.
        speed: seconds of sound a second; what is faster than real time begins so far in the past
            that the last second is of now.
        seed: another seed, another ward.

    Raises:
        VagitusError: a server does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start_ms = int(1000 * (time.time() - seconds + seconds / speed))
    ward = SimulatedWard(COTS, seed=seed, drift_at_seconds=DRIFT_FROM * seconds)
    source = TroubledWard(ward, start_ms, seconds)
    admissions = [
        Admission(cot.monitor, cot.infant, cot.ward, cot.bed, start_ms) for cot in ward.cots
    ]
    log = folder / "demo.log"
    with contextlib.ExitStack() as servers, log.open("w") as file:
        console = Console(file=file)
        url = asyncio.run(_play(source, admissions, speed, console, log, servers))
        settled = next(cot.infant for cot in ward.cots if cot.infant != ward.drifting_infant)
        began = source.ended_at - seconds / speed
        yield Trial(url, began, source.ended_at, ward.drifting_infant or "", settled)


async def _play(
    source: TroubledWard,
    admissions: list[Admission],
    speed: float,
    console: Console,
    log: Path,
    servers: contextlib.ExitStack,
) -> str:
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(run_demo(source, admissions, speed, None, console))
            watcher = both.create_task(_watch(log, servers))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return watcher.result()


async def _watch(log: Path, servers: contextlib.ExitStack) -> str:
    """Start Prometheus as soon as there is a worker to scrape; returns its URL."""
    until = time.monotonic() + START_SECONDS
    while "/metrics" not in log.read_text():
        if time.monotonic() > until:
            raise VagitusError(f"The worker did not start; see {log}.")
        await asyncio.sleep(0.2)
    address = log.read_text().split("Metrics: http://")[1].split("/metrics")[0]
    opened = prometheus(log.parent / "prometheus", address)
    return await asyncio.to_thread(servers.enter_context, opened)


@contextlib.contextmanager
def prometheus(folder: Path, worker: str) -> Iterator[str]:
    """Prometheus as a ward runs it, but without an Alertmanager; gives its URL.

    Args:
        folder: for its data.
        worker: host:port of what it scrapes.

    Raises:
        VagitusError: it cannot be found or fetched, or does not start.
    """
    line = [sys.executable, str(PROMETHEUS / "prometheus"), "path", "prometheus"]
    found = subprocess.run(line, capture_output=True, text=True)
    if found.returncode:
        raise VagitusError((found.stderr.strip().splitlines() or ["No Prometheus."])[-1])
    shutil.copytree(PROMETHEUS / "rules", folder / "rules", dirs_exist_ok=True)
    shutil.copy(PROMETHEUS / "prometheus.yml", folder)
    (folder / "workers.yaml").write_text(json.dumps([{"targets": [worker]}]))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    program = [found.stdout.strip(), f"--web.listen-address={address}"]
    program += ["--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    with (folder / "prometheus.log").open("wb") as output:
        server = subprocess.Popen(program, cwd=folder, stdout=output, stderr=output)
    try:
        until = time.monotonic() + START_SECONDS
        while not _ready(f"http://{address}"):
            if server.poll() is not None or time.monotonic() > until:
                raise VagitusError(f"Prometheus did not start; see {output.name}.")
            time.sleep(0.1)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def _ready(url: str) -> bool:
    with contextlib.suppress(OSError), urlopen(f"{url}/-/ready", timeout=2):
        return True
    return False
