"""How long after the end of a cry its alert arrives, on the direct way and on the backstop.

Apache Kafka, a worker, Prometheus and Alertmanager of its own; a simulated ward in real time, in
which the infants change places every minute, so that their cries are no longer those of the infant
that was admitted, and later are again. The end of a cry is the end of its last second with voice:
what the detector then waits for, to be sure that it has ended, is part of the delay.

    python -m bench.alert_delays --minutes 10
    python -m bench.alert_delays --minutes 10 --backstop
"""

import argparse
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

from models.synthesis.ward import SimulatedWard
from streams.alerting.course import Course
from streams.alerting.notices import DEVIATING
from streams.records.deviation import DeviationRecord
from tests.deploy.servers import Gateway, Servers
from tests.system.brokers import KAFKA, ApacheKafka
from tests.system.pipeline import Pipeline
from tests.system.ward_player import WardPlayer

KNOWN_SECONDS = 240
PLACES_CHANGE_SECONDS = 60
# A notification later than this belongs to the next alert.
LATEST_SECONDS = 60


def starts(deviations: list[DeviationRecord], live_ms: float) -> Iterator[tuple[str, float]]:
    """Infant and end of the cry, in seconds since 1970, of every alert that began."""
    courses: dict[str, Course] = defaultdict(Course)
    for record in sorted(deviations, key=lambda d: d.started_at_ms):
        course = courses[record.infant]
        before = course.since_ms.get(DEVIATING)
        course.hear(record)
        since = course.since_ms.get(DEVIATING)
        if since is not None and before is None and since >= live_ms:
            yield record.infant, since / 1000


@contextmanager
def kafka(folder: Path) -> Iterator[ApacheKafka]:
    """An Apache Kafka while the context is open."""
    line = [sys.executable, str(KAFKA), "--data", str(folder / "kafka")]
    started = subprocess.run([*line, "start"], stdout=subprocess.PIPE, text=True, check=True)
    try:
        yield ApacheKafka(started.stdout.split()[-1])
    finally:
        subprocess.run([*line, "stop"], check=True)


def run(broker: ApacheKafka, folder: Path, options: argparse.Namespace) -> list[float]:
    """The delays in seconds, of every alert that was notified."""
    gateway = Gateway()
    servers = Servers(folder, gateway)
    servers.start("alertmanager")
    pipeline = Pipeline(broker, folder)
    url = "" if options.backstop else servers.urls["alertmanager"]
    pipeline.environment["VAGITUS_ALERTMANAGER_URL"] = url
    address = folder / "metrics"
    worker = pipeline.start("worker", "--metrics-port", "0", "--metrics-address-file", str(address))
    ward = SimulatedWard(options.monitors, seed=1, cry_fraction=0.4, bout_seconds=(2.5, 4.0))

    def place(cot: int) -> int:
        turn = int((time.time() - player.live_at) // PLACES_CHANGE_SECONDS)
        return (cot + 1 + turn // 2) % options.monitors if turn % 2 == 0 else cot

    player = WardPlayer(ward, KNOWN_SECONDS, pipeline.settings, place)
    try:
        while not player.live_at or time.time() < player.live_at:
            player.check()
            time.sleep(0.2)
        if options.backstop:
            servers.start("prometheus", workers=[urlsplit(address.read_text()).netloc])
        time.sleep(60 * options.minutes)
        player.stop()
        found = list(starts(pipeline.published().deviations, 1000 * player.live_at))
        time.sleep(30)  # for the last one's notification
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
        servers.stop()
        gateway.close()
    delays = []
    for infant, ended in found:
        told = [n.at - ended for n in gateway.of(DEVIATING, infant, firing=True)]
        delays += [delay for delay in sorted(told) if 0 <= delay <= LATEST_SECONDS][:1]
    print(f"{len(found)} alerts began, {len(delays)} were notified")
    return delays


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
            delays = run(broker, folder, options)
    ninety_fifth = quantiles(delays, n=20, method="inclusive")[-1]
    print(
        f"from the end of the cry to the notification: median {median(delays):.2f} s, "
        f"p95 {ninety_fifth:.2f} s, most {max(delays):.2f} s"
    )


if __name__ == "__main__":
    main()
