"""A worker that is measured while it runs, and the load that it bears."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from bench.ward import admit
from streams.kafka.topics import AUDIO_CHUNKS
from tests.system.brokers import ApacheKafka
from tests.system.pipeline import Pipeline
from tests.system.ports import free_ports

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Reading:
    """A worker's figures at one moment.

    Attributes:
        cpu: seconds, by stage.
        series: of /metrics, those of a name added up.
        ages: chunks by the age, in seconds, that they had at most when their score was published.
    """

    cpu: dict[str, float]
    series: dict[str, float]
    ages: dict[float, float]

    def since(self, before: "Reading") -> "Reading":
        """What has come since another reading."""
        return Reading(
            {stage: spent - before.cpu.get(stage, 0.0) for stage, spent in self.cpu.items()},
            {name: value - before.series.get(name, 0.0) for name, value in self.series.items()},
            {age: count - before.ages.get(age, 0.0) for age, count in self.ages.items()},
        )

    @property
    def chunks(self) -> float:
        """Seconds of sound."""
        return self.series.get("vagitus_chunks_total", 0.0)

    def age(self, share: float) -> float:
        """The age that a share of the chunks did not exceed, between two bounds as if even."""
        wanted = share * self.ages[float("inf")]
        low, counted = 0.0, 0.0
        for bound, count in sorted(self.ages.items()):
            if count >= wanted:
                return low + (min(bound, 2 * low) - low) * (wanted - counted) / (count - counted)
            low, counted = bound, count
        return low


class Measured:
    """A worker that runs on a pipeline of its own."""

    def __init__(self, broker: ApacheKafka, folder: Path, **environment: str) -> None:
        folder.mkdir()
        self._pipeline = Pipeline(broker, folder)
        self._environment = {**os.environ, **self._pipeline.environment, **environment}
        self._environment["VAGITUS_SESSION_TIMEOUT_SECONDS"] = "10"
        self._stages = folder / "stages.json"
        self._folder = folder

    @contextmanager
    def running(self, monitors: int) -> Iterator[None]:
        """While a worker runs that owns everything and knows the monitors' infants."""
        asyncio.run(admit(self._pipeline.settings, monitors))
        (self._port,) = free_ports(1)
        with (self._folder / "worker.log").open("wb") as log:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "bench.stages", str(self._stages), str(self._port)],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while self.read().series.get("vagitus_owned_partitions", 0) == 0:
                self._check(time.monotonic() < deadline)
                time.sleep(0.5)
            yield
        finally:
            self._worker.send_signal(signal.SIGTERM)
            self._worker.wait()

    def load(self, monitors: int, seconds: int, rate: int) -> subprocess.Popen:
        """The process that sends the ward's sound, begun."""
        name = AUDIO_CHUNKS.name(self._pipeline.settings)
        numbers = [str(n) for n in (monitors, seconds, rate)]
        command = [sys.executable, "-m", "bench.ward", self._pipeline.settings.broker, name]
        return subprocess.Popen([*command, *numbers], stdout=subprocess.PIPE, text=True)

    def read(self) -> Reading:
        """The figures now; without series until the worker answers."""
        self._check(True)
        try:
            page = urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=30).read().decode()
        except (URLError, OSError):
            return Reading({}, {}, {})
        series: dict[str, float] = {}
        ages: dict[float, float] = {}
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                series[sample.name] = series.get(sample.name, 0.0) + sample.value
                if sample.name == "vagitus_chunk_age_seconds_bucket":
                    ages[float(sample.labels["le"])] = sample.value
        cpu = json.loads(self._stages.read_text())
        return Reading(cpu, series, ages)

    def _check(self, well: bool) -> None:
        if not well or self._worker.poll() is not None:
            log = (self._folder / "worker.log").read_text(errors="replace")
            raise SystemExit(f"bench: the worker does not work.\n{log[-3000:]}")
