"""How long after the end of a cry its alert is known and arrives, on either way.

Apache Kafka, a worker, Prometheus and Alertmanager of its own; a simulated ward in real time, in
which the infants change places every minute, so that their cries are no longer those of the infant
that was admitted, and later are again. The end of a cry is the end of its last second with voice:
what the detector then waits for, to be sure that it has ended, is part of the delay.

    python -m bench.alert_delays --minutes 10
    python -m bench.alert_delays --minutes 10 --backstop
"""

import argparse
import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

import numpy as np
from aiokafka import ConsumerRecord
from numpy.typing import NDArray

from models.synthesis.ward import SimulatedWard
from streams.alerting.course import Course
from streams.alerting.notices import DEVIATING
from streams.kafka.topics import DEVIATIONS
from streams.records.deviation import DeviationRecord
from tests.deploy.servers import Gateway, Servers
from tests.system.brokers import KAFKA, ApacheKafka
from tests.system.pipeline import Pipeline
from tests.system.ward_player import WardPlayer

KNOWN_SECONDS = 240
CHANGE_SECONDS = 60
HIGHER = 1.5
# A notification later than this belongs to the next alert.
LATEST_SECONDS = 60


def starts(records: list[ConsumerRecord], live_at: float) -> Iterator[tuple[str, float, float]]:
    """Infant, end of the cry, and when its deviation was published, of each alert that began.

    In seconds since 1970.
    """
    courses: dict[str, Course] = defaultdict(Course)
    for record in sorted(records, key=lambda record: record.timestamp):
        said = DeviationRecord.from_json(record.value)
        course = courses[said.infant]
        before = DEVIATING in course.since_ms
        course.hear(said)
        if DEVIATING in course.since_ms and not before:
            ended = course.since_ms[DEVIATING] / 1000
            if ended >= live_at:
                yield said.infant, ended, record.timestamp / 1000


def changed(waveform: NDArray[np.float32], since_live: float) -> NDArray[np.float32]:
    """A second of sound, every other minute half as high again (its end is its beginning)."""
    if int(since_live // CHANGE_SECONDS) % 2:
        return waveform
    samples = np.arange(waveform.size)
    return np.interp(HIGHER * samples % (waveform.size - 1), samples, waveform).astype(np.float32)


@contextmanager
def kafka(folder: Path) -> Iterator[ApacheKafka]:
    """An Apache Kafka while the context is open."""
    line = [sys.executable, str(KAFKA), "--data", str(folder / "kafka")]
    started = subprocess.run([*line, "start"], stdout=subprocess.PIPE, text=True, check=True)
    try:
        yield ApacheKafka(started.stdout.split()[-1])
    finally:
        subprocess.run([*line, "stop"], check=True)


def run(
    broker: ApacheKafka, folder: Path, options: argparse.Namespace
) -> tuple[list[float], list[float]]:
    """Delays in seconds: of every alert's condition, and of every alert that was notified."""
    gateway = Gateway()
    servers = Servers(folder, gateway)
    servers.start("alertmanager")
    pipeline = Pipeline(broker, folder)
    url = "" if options.backstop else servers.urls["alertmanager"]
    pipeline.environment["VAGITUS_ALERTMANAGER_URL"] = url
    address = folder / "metrics"
    worker = pipeline.start("worker", "--metrics-port", "0", "--metrics-address-file", str(address))
    ward = SimulatedWard(options.monitors, seed=1, cry_fraction=0.4, bout_seconds=(2.5, 4.0))

    player = WardPlayer(ward, KNOWN_SECONDS, pipeline.settings, changed)
    try:
        while not player.live_at or time.time() < player.live_at:
            player.check()
            time.sleep(0.2)
        if options.backstop:
            servers.start("prometheus", workers=[urlsplit(address.read_text()).netloc])
        time.sleep(60 * options.minutes)
        player.stop()
        records = asyncio.run(pipeline._read(DEVIATIONS.name(pipeline.settings)))
        found = list(starts(records, player.live_at))
        time.sleep(30)  # for the last one's notification
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
        servers.stop()
        gateway.close()
    delays = []
    for infant, ended, _ in found:
        told = [n.at - ended for n in gateway.of(DEVIATING, infant, firing=True)]
        delays += [delay for delay in sorted(told) if 0 <= delay <= LATEST_SECONDS][:1]
    print(f"{len(found)} alerts began, {len(delays)} were notified")
    return [published - ended for _, ended, published in found], delays


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--monitors", type=int, default=4)
    parser.add_argument("--backstop", action="store_true", help="by Prometheus' rule alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vagitus-delays-") as name:
        folder = Path(name)
        with kafka(folder) as broker:
            known, notified = run(broker, folder, options)
    for what, delays in (("condition", known), ("notification", notified)):
        ninety_fifth = quantiles(delays, n=20, method="inclusive")[-1]
        print(
            f"from the end of the cry to the {what}: median {median(delays):.2f} s, "
            f"p95 {ninety_fifth:.2f} s, most {max(delays):.2f} s"
        )


if __name__ == "__main__":
    main()
