"""What one worker bears: seconds of sound a second, CPU of each, memory; on a real Apache Kafka.

A simulated ward, heard as it happens; or sent before and then heard as fast as it goes, as by a
worker that catches up, in larger batches.

    python -m bench.worker --monitors 40 --seconds 60
    python -m bench.worker --monitors 40 --seconds 60 --catch-up
"""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from models.synthesis.ward import SimulatedWard
from streams.play import Publisher, play
from streams.records.admission import Admission
from streams.settings import Settings
from streams.sources.ward import WardSource
from tests.system.brokers import KAFKA, ApacheKafka
from tests.system.pipeline import Pipeline

# Its last cries are embedded and written within these.
AFTER_SECONDS = 20
PATIENCE_SECONDS = 600


def figures(port: int) -> dict[str, float]:
    """The worker's series, those of a name added up; empty until it answers."""
    try:
        page = urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    except (URLError, OSError):
        return {}
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


async def send(settings: Settings, monitors: int, seconds: int, speed: float | None) -> int:
    """Admit a ward's infants and send its sound; returns the seconds of sound."""
    ward = SimulatedWard(monitors, seed=0)
    start_ms = int(time.time() * 1000) - (0 if speed else 1000 * seconds)
    async with Publisher(settings) as publisher:
        for cot in ward.cots:
            await publisher.admit(Admission(cot.monitor, cot.infant, cot.ward, cot.bed, 0))
        return (await play(WardSource(ward, start_ms, seconds), publisher, speed)).total


def wait(pipeline: Pipeline, worker: subprocess.Popen, port: int, name: str, value: float) -> dict:
    """The figures once one of them is so large."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (seen := figures(port)).get(name, 0.0) < value:
        if worker.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"bench: {name} does not come to {value:g}.\n{pipeline.logs()}")
        time.sleep(0.1)
    return seen


def measure(pipeline: Pipeline, monitors: int, seconds: int, catch_up: bool) -> str:
    """Let one worker hear all of it; returns a line of figures."""
    if catch_up:
        total = asyncio.run(send(pipeline.settings, monitors, seconds, speed=None))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    worker = pipeline.start("worker", "--metrics-port", str(port), "--log-level", "WARNING")
    try:
        if catch_up:
            first = wait(pipeline, worker, port, "vagitus_chunks_total", 1)
        else:
            first = wait(pipeline, worker, port, "vagitus_owned_partitions", 1)
            total = asyncio.run(send(pipeline.settings, monitors, seconds, speed=1.0))
        began = time.monotonic()
        wait(pipeline, worker, port, "vagitus_chunks_total", total)
        took = time.monotonic() - began
        time.sleep(AFTER_SECONDS)
        end = figures(port)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
    heard = total - first.get("vagitus_chunks_total", 0.0)
    cpu = end["process_cpu_seconds_total"] - first["process_cpu_seconds_total"]
    age = end["vagitus_chunk_age_seconds_sum"] / end["vagitus_chunk_age_seconds_count"]
    pace = f"{heard / took:.0f} of them a second" if catch_up else f"{age:.1f} s old when scored"
    return (
        f"{heard:.0f} seconds of sound, {end['vagitus_cry_seconds_total'] / total:.0%} cries: "
        f"{pace}, {1000 * cpu / heard:.1f} ms of CPU each, "
        f"{end['process_resident_memory_bytes'] / 1e6:.0f} MB"
    )


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--monitors", type=int, default=40)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--catch-up", action="store_true", help="send all of it first")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        script = [sys.executable, str(KAFKA)]
        data = ["--data", f"{folder}/kafka"]
        started = subprocess.run([*script, "start", *data], stdout=subprocess.PIPE, text=True)
        if started.returncode:
            raise SystemExit("bench: there is no Kafka.")
        try:
            pipeline = Pipeline(ApacheKafka(started.stdout.split()[-1]), Path(folder))
            load = os.getloadavg()[0]
            print(f"{options.monitors} monitors, {os.cpu_count()} cores at load {load:.1f}")
            print(measure(pipeline, options.monitors, options.seconds, options.catch_up))
        finally:
            subprocess.run([*script, "stop", *data])


if __name__ == "__main__":
    main()
