"""From a sound to the right receiver: real broker, worker, Prometheus and Alertmanager."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from models.synthesis.ward import SimulatedWard
from streams.alerting.course import Course
from tests.deploy.servers import Gateway, Servers
from tests.system.brokers import ApacheKafka
from tests.system.pipeline import Pipeline
from tests.system.ward_player import WardPlayer

pytestmark = pytest.mark.system

# Enough for each infant to become known: some twenty cries.
KNOWN_SECONDS = 240
# A silent monitor is one after 30 s, and is told of within half a minute more: but on busy cores.
PATIENCE_SECONDS = 240
SCORED = "vagitus_chunks_total{"


class Hospital:
    """Everything that runs."""

    def __init__(self, kafka: ApacheKafka, folder: Path, direct: bool) -> None:
        self.gateway = Gateway()
        self.servers = Servers(folder, self.gateway)
        self.servers.start("alertmanager")
        self.pipeline = Pipeline(kafka, folder)
        url = self.servers.urls["alertmanager"] if direct else ""
        self.pipeline.environment["VAGITUS_ALERTMANAGER_URL"] = url
        self.pipeline.environment["VAGITUS_SILENT_AFTER_SECONDS"] = "5"
        self._address = folder / "metrics"
        self.worker = self.pipeline.start(
            "worker", "--metrics-port", "0", "--log-level", "WARNING",
            "--metrics-address-file", str(self._address),
        )  # fmt: skip
        # One infant's voice changes where real time begins.
        self.ward = SimulatedWard(
            3,
            seed=1,
            cry_fraction=0.4,
            bout_seconds=(2.5, 4.0),
            drift_at_seconds=KNOWN_SECONDS,
            drift_amount=8.0,
        )
        self.player = WardPlayer(self.ward, KNOWN_SECONDS, self.pipeline.settings)

    def watch(self) -> None:
        """Start Prometheus once the past has been scored: it would seem to lag."""
        self.until(lambda: self.player.live_at and time.time() > self.player.live_at)
        self.until(lambda: self.scored() >= KNOWN_SECONDS * len(self.ward.cots))
        worker = urlsplit(self._address.read_text()).netloc
        self.servers.start("prometheus", workers=[worker])

    def scored(self) -> float:
        """Seconds that the worker has scored."""
        if not self._address.exists():
            return 0
        with urlopen(self._address.read_text(), timeout=10) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(SCORED))

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so; fails with what was notified and with the logs."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.player.check()
            told = [(n.receiver, n.name, n.infant, n.firing) for n in self.gateway.notifications]
            assert self.worker.poll() is None, self.pipeline.logs()
            assert time.monotonic() < deadline, f"{told}\n{self.pipeline.logs()}"
            time.sleep(0.1)

    def told(self) -> set[tuple[str, str, str]]:
        """Receiver, alert and infant of everything that was notified, but for the Watchdog."""
        notified = {(n.receiver, n.name, n.infant) for n in self.gateway.notifications}
        return {what for what in notified if what[1] != "Watchdog"}

    def began_ms(self, infant: str) -> int:
        """The end of the cry that made the infant's alert, as its deviations tell."""
        course, deviations = Course(), self.pipeline.published().deviations
        for record in sorted(deviations, key=lambda d: d.started_at_ms):
            if record.infant == infant and not course.since_ms:
                course.hear(record)
        return course.since_ms["InfantDeviating"]

    def close(self) -> None:
        self.player.stop()
        self.worker.send_signal(signal.SIGTERM)
        self.worker.wait()
        self.servers.stop()
        self.gateway.close()


@pytest.fixture
def hospital(request, apache_kafka, tmp_path) -> Iterator[Hospital]:
    running = Hospital(apache_kafka, tmp_path, direct=request.param == "direct")
    yield running
    running.close()


def wait_for_the_changed_infant(hospital: Hospital, capsys) -> set[tuple[str, str, str]]:
    """Until its ward knows; nobody is told of anything else. Returns who may be told of it."""
    changed = hospital.ward.drifting_infant
    # A voice that stays changed also drifts, sooner or later.
    its_own = {
        ("nicu/high", "InfantDeviating", changed),
        ("nicu/medium", "InfantDrifting", changed),
    }
    hospital.watch()
    hospital.until(lambda: hospital.gateway.of("InfantDeviating", firing=True))
    hospital.until(lambda: hospital.gateway.of("Watchdog"))
    assert ("nicu/high", "InfantDeviating", changed) in hospital.told() <= its_own
    first = hospital.gateway.of("InfantDeviating", firing=True)[0]
    with capsys.disabled():
        delay = first.at - hospital.began_ms(changed) / 1000
        print(f"\nfrom the cry's end to the notification: {delay:.2f} s", end=" ")
    return its_own


@pytest.mark.parametrize("hospital", ["direct"], indirect=True)
def test_whoever_must_know_is_told_of_an_infant_and_a_monitor_and_nobody_of_anything_else(
    hospital, capsys
):
    its_own = wait_for_the_changed_infant(hospital, capsys)
    other = next(cot for cot in hospital.ward.cots if cot.infant != hospital.ward.drifting_infant)
    silent = {("nicu/medium", "MonitorSilent", other.infant)}

    hospital.player.unplugged.add(other.monitor)
    hospital.until(lambda: hospital.gateway.of("MonitorSilent", firing=True))
    assert hospital.told() - its_own == silent

    hospital.player.unplugged.clear()
    hospital.until(lambda: hospital.gateway.of("MonitorSilent", firing=False))
    assert hospital.told() - its_own == silent


@pytest.mark.parametrize("hospital", ["backstop"], indirect=True)
def test_where_no_worker_posts_prometheus_does(hospital, capsys):
    wait_for_the_changed_infant(hospital, capsys)
    assert hospital.servers.query("sum(vagitus_alert_posts_total)")[0]["value"][1] == "0"
