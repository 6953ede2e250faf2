"""deploy/kafka/kafka, where what it is asked for cannot be."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

KAFKA = Path(__file__).parents[2] / "deploy" / "kafka" / "kafka"
START_SECONDS = 60


def start(*options: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(KAFKA), "start", *map(str, options)]
    return subprocess.run(line, capture_output=True, text=True, timeout=START_SECONDS)


@pytest.mark.parametrize("known", [False, True])
def test_a_port_of_somebody_else_is_not_taken_for_the_server_that_was_started(tmp_path, known):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        if known:  # from an earlier start
            (tmp_path / "server.properties").write_text("")
            (tmp_path / "address").write_text(f"127.0.0.1:{port}")
        done = start("--data", tmp_path, "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"127.0.0.1:{port} cannot be listened at" in done.stderr
    assert "Address already in use" in done.stderr
    assert not (tmp_path / "pid").exists()


def test_a_port_that_was_taken_is_not_kept(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        start("--data", tmp_path / "new", "--port", other.getsockname()[1])
    assert not (tmp_path / "new" / "address").exists()
