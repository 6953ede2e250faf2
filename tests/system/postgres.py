"""A real PostgreSQL for the tests: the one at VAGITUS_TEST_POSTGRES, or a server of our own."""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.system.brokers import unavailable

POSTGRES = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "postgres"
URL_VARIABLE = "VAGITUS_TEST_POSTGRES"
START_SECONDS = 120


@dataclass
class Postgres:
    """A running server; `data` is where ours keeps its own, None if it was given."""

    url: str
    data: Path | None = None

    def schema(self) -> str:
        """The URL of an empty schema of its own."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url}{'&' if '?' in self.url else '?'}options=-csearch_path%3D{name}"

    def act(self, action: str) -> subprocess.CompletedProcess[str]:
        """Start, stop or kill our own server."""
        return subprocess.run(
            [sys.executable, str(POSTGRES), action, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )


def start_postgres() -> Postgres:
    """A server of our own, started; skips, or in CI fails, where none can be had."""
    # Not below pytest's folders: those are closed to the user that the server may run as.
    server = Postgres("", Path(tempfile.mkdtemp(prefix="vagitus-postgres-")))
    started = server.act("start")
    if started.returncode:
        stop_postgres(server)
        unavailable((started.stderr.strip() or "deploy/postgres/postgres failed").splitlines()[-1])
    server.url = started.stdout.strip()
    return server


def stop_postgres(server: Postgres) -> None:
    """End our own server and remove its data."""
    server.act("kill")
    shutil.rmtree(server.data, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server that all tests share: use a `schema()` of your own, and do not stop it."""
    if given := os.environ.get(URL_VARIABLE):
        yield Postgres(given)
        return
    server = start_postgres()
    yield server
    stop_postgres(server)


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server of the test's own, that it may stop."""
    server = start_postgres()
    yield server
    stop_postgres(server)
