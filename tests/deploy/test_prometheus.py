"""deploy/prometheus/prometheus, where what it is asked for cannot be."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus" / "prometheus"
START_SECONDS = 60


@pytest.mark.parametrize("option", ["--port", "--alertmanager-port"])
def test_a_port_that_is_taken_is_said_and_not_kept(tmp_path, option):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = [
            sys.executable,
            str(PROMETHEUS),
            "start",
            "--data",
            str(tmp_path),
            option,
            str(port),
        ]
        done = subprocess.run(line, capture_output=True, text=True, timeout=START_SECONDS)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"cannot listen at 127.0.0.1:{port}" in done.stderr
    assert list(tmp_path.iterdir()) == []
