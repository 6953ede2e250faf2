"""A simulated ward on real servers, for whoever wants the dashboards' queries answered.

An embedded broker and a worker as `vagitus demo` has them, Prometheus with the alert rules, and
Alertmanager. On the ward one infant's voice changes, one monitor is unplugged, one
is overdriven, and one sends damaged seconds now and then.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from models.synthesis.ward import SimulatedWard
from streams.demo import run_demo
from streams.errors import VagitusError
from streams.records.admission import Admission
from streams.records.audio_chunk import AudioChunk
from streams.records.sound import encode_sound
from streams.sources.ward import WardSource

PROMETHEUS = Path(__file__).resolve().parent.parent / "deploy" / "prometheus" / "prometheus"
ALERTMANAGER = "VAGITUS_ALERTMANAGER_URL"
COTS = 8
# From the end of the list of cots; the infant that drifts is chosen by the ward.
UNPLUGGED, OVERDRIVEN, DAMAGED = -1, -2, -3
UNPLUGGED_FROM, OVERDRIVEN_FROM, DRIFT_FROM = 0.7, 0.5, 0.7  # shares of the trial
# Within-infant standard deviations: four semitones, so that nearly every cry is far away.
DRIFT_AMOUNT = 8.0
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

    Its first second is so far in the past that, played faster than real time, its last one is of
    the moment when it is sent.

    Args:
        ward: who is heard.
        seconds: how long it lasts.
        speed: seconds of sound a second with which it will be played.
    """

    def __init__(self, ward: SimulatedWard, seconds: int, speed: float) -> None:
        self._ward, self._seconds, self._speed = ward, seconds, speed
        self._monitors = [cot.monitor for cot in ward.cots]
        self.began_at = self.ended_at = 0.0

    def start_ms(self) -> int:
        """Capture time of the first second, were it played from now on."""
        return int(1000 * (time.time() - self._seconds + self._seconds / self._speed))

    def chunks(self) -> Iterator[AudioChunk]:
        """The ward's chunks, as far as its monitors send them."""
        self.began_at = self.ended_at = time.time()
        start_ms = self.start_ms()
        for chunk in WardSource(self._ward, start_ms, self._seconds).chunks():
            second = (chunk.captured_at_ms - start_ms) // 1000
            share = second / self._seconds
            if chunk.monitor == self._monitors[UNPLUGGED] and share >= UNPLUGGED_FROM:
                continue
            if chunk.monitor == self._monitors[OVERDRIVEN] and share >= OVERDRIVEN_FROM:
                loud = np.clip(OVERDRIVE * chunk.waveform(), -1, 1)
                payload = encode_sound(loud, chunk.sample_rate_hz, chunk.codec)
                chunk = dataclasses.replace(chunk, payload=payload)
            if chunk.monitor == self._monitors[DAMAGED] and second % DAMAGED_EVERY == 1:
                chunk = dataclasses.replace(chunk, payload=chunk.payload[: len(chunk.payload) // 3])
            yield chunk
            self.ended_at = time.time()


@contextlib.contextmanager
def trial(folder: Path, seconds: int, speed: float, seed: int = 0) -> Iterator[Trial]:
    """Play a ward; when it has been heard, Prometheus may be asked for as long as this is open.

    The worker takes its settings from the environment: name the timeline's store there, a
    PostgreSQL if it is to be asked too.

    Args:
        folder: for Prometheus' data and logs.
        seconds: of sound.
        speed: seconds of sound a second.
        seed: another seed, another ward.

    Raises:
        VagitusError: a server does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ward = SimulatedWard(
        COTS, seed=seed, drift_at_seconds=DRIFT_FROM * seconds, drift_amount=DRIFT_AMOUNT
    )
    source = TroubledWard(ward, seconds, speed)
    before_ms = source.start_ms()
    admissions = [
        Admission(cot.monitor, cot.infant, cot.ward, cot.bed, before_ms) for cot in ward.cots
    ]
    log, data = folder / "demo.log", folder / "prometheus"
    with servers(data) as urls, _environment(ALERTMANAGER, urls["alertmanager"]):
        with log.open("w") as file:
            asyncio.run(_play(source, admissions, speed, Console(file=file), log, data))
        settled = next(cot.infant for cot in ward.cots if cot.infant != ward.drifting_infant)
        drifting = ward.drifting_infant or ""
        yield Trial(urls["prometheus"], source.began_at, source.ended_at, drifting, settled)


async def _play(
    source: TroubledWard,
    admissions: list[Admission],
    speed: float,
    console: Console,
    log: Path,
    data: Path,
) -> None:
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(run_demo(source, admissions, speed, None, console))
            both.create_task(_tell_prometheus(log, data))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def _tell_prometheus(log: Path, data: Path) -> None:
    """Let Prometheus scrape the worker, as soon as there is one."""
    until = time.monotonic() + START_SECONDS
    while "/metrics" not in log.read_text():
        if time.monotonic() > until:
            raise VagitusError(f"The worker did not start; see {log}.")
        await asyncio.sleep(0.2)
    address = log.read_text().split("Metrics: http://")[1].split("/metrics")[0]
    (data / "workers.yaml").write_text(json.dumps([{"targets": [address]}]))


@contextlib.contextmanager
def servers(data: Path) -> Iterator[dict[str, str]]:
    """Prometheus and Alertmanager as a ward runs them; gives their URLs by name.

    Args:
        data: their folder.

    Raises:
        VagitusError: one cannot be found or fetched, or does not start.
    """
    line = [sys.executable, str(PROMETHEUS), "--data", str(data)]
    started = subprocess.run([*line, "start"], capture_output=True, text=True)
    if started.returncode:
        raise VagitusError((started.stderr.strip() or "Prometheus does not start").splitlines()[-1])
    try:
        yield dict(url.split() for url in started.stdout.splitlines())
    finally:
        subprocess.run([*line, "stop"], capture_output=True)


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before
