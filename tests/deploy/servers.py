"""Programs of Prometheus and Alertmanager, as the project's script finds or fetches them."""

import subprocess
import sys
from pathlib import Path

import pytest

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
