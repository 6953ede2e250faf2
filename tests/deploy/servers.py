"""Prometheus and Alertmanager, as the project's script finds or fetches and runs them."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from deploy.alertmanager.write_routing import page
from tests.system.brokers import unavailable

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "deploy" / "prometheus" / "prometheus"
# The first time on a machine fetches two packages of 30 MB together.
FETCH_SECONDS = 300


def program(name: str) -> str:
    """Path of a program; skips, or in CI fails, where it cannot be had."""
    found = subprocess.run(
        [sys.executable, str(SCRIPT), "path", name],
        capture_output=True, text=True, timeout=FETCH_SECONDS,
    )  # fmt: skip
    if found.returncode:
        unavailable((found.stderr.strip() or f"there is no {name}").splitlines()[-1])
    return found.stdout.strip()


@pytest.fixture(scope="session")
def promtool() -> str:
    """Path of promtool."""
    return program("promtool")


@pytest.fixture(scope="session")
def amtool() -> str:
    """Path of amtool."""
    return program("amtool")


@dataclass
class Notification:
    """One alert of one notification, as the gateway got it."""

    receiver: str  # the path that it was posted to, e.g. nicu/high
    at: float  # seconds since 1970
    alert: dict

    @property
    def name(self) -> str:
        return self.alert["labels"]["alertname"]

    @property
    def infant(self) -> str:
        return self.alert["labels"].get("infant", "")

    @property
    def firing(self) -> bool:
        return self.alert["status"] == "firing"


class Gateway:
    """What Alertmanager notifies: keeps all of it."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for alert in json.loads(body)["alerts"]:
                    told = Notification(self.path.strip("/"), time.time(), alert)
                    gateway.notifications.append(told)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Nothing: a test's output is about what went wrong."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, name: str, infant: str = "", firing: bool | None = None) -> list[Notification]:
        """The notifications of an alert, of an infant if one is named."""
        return [
            told
            for told in list(self.notifications)
            if told.name == name
            and (not infant or told.infant == infant)
            and (firing is None or told.firing is firing)
        ]


class Servers:
    """Prometheus and Alertmanager of a test's own, or one of them; they notify a gateway."""

    def __init__(self, folder: Path, gateway: Gateway, rules: Path | None = None) -> None:
        self.data = folder / "servers"
        self.gateway = gateway
        self._configuration = folder / "alertmanager.yml"
        self._configuration.write_text(page(["nicu"], gateway.url))
        self._rules = ["--rules", str(rules)] if rules else []
        self.urls: dict[str, str] = {}

    def start(self, *only: str, workers: Sequence[str] = ()) -> None:
        """Start both, or only one; on the ports that they had before."""
        arguments = [argument for worker in workers for argument in ("--worker", worker)]
        arguments += [argument for name in only for argument in ("--only", name)]
        started = self._act(
            "start", "--alertmanager-config", str(self._configuration), *self._rules, *arguments
        )
        if started.returncode:
            unavailable((started.stderr.strip() or "no servers").splitlines()[-1])
        self.urls |= dict(line.split() for line in started.stdout.splitlines())

    def stop(self) -> None:
        """End what runs; data stays."""
        self._act("stop")

    def _act(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, str(SCRIPT), *arguments, "--data", str(self.data)]
        return subprocess.run(line, capture_output=True, text=True, timeout=FETCH_SECONDS)

    def alerts(self) -> dict[tuple[str, str], dict]:
        """What Alertmanager holds, by name and infant."""
        with urlopen(f"{self.urls['alertmanager']}/api/v2/alerts", timeout=10) as answer:
            held = json.load(answer)
        return {(a["labels"]["alertname"], a["labels"].get("infant", "")): a for a in held}

    def query(self, expression: str) -> list[dict]:
        """What Prometheus answers now."""
        url = f"{self.urls['prometheus']}/api/v1/query?{urlencode({'query': expression})}"
        with urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """An Alertmanager with the project's routing, that all tests of a file share."""
    gateway = Gateway()
    servers = Servers(tmp_path_factory.mktemp("alertmanager"), gateway)
    servers.start("alertmanager")
    yield servers
    servers.stop()
    gateway.close()
