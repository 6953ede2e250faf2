"""The image in a container, as compose runs it; where no image was built, this is left out."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.streams.ward import record_cry

PROJECT = Path(__file__).resolve().parents[2]
VERSION = re.search(r'^version = "(.*)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)[1]
IMAGE = f"vagitus:{VERSION}"
# Nothing may be written but memory, and nobody reached.
HARDENED = ["--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none"]
RUN_SECONDS = 120


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    try:
        found = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no docker here")
    if found.returncode:
        pytest.skip(f"docker has no {IMAGE}: `make image` builds it")


def run(*options: str) -> str:
    """What a container that is run with these options says; it must end well."""
    line = ["docker", "run", *HARDENED, *options]
    done = subprocess.run(line, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_hears_a_cry(tmp_path):
    record_cry(tmp_path / "cry.wav")
    tmp_path.chmod(0o755)
    said = run("--volume", f"{tmp_path}:/sound:ro", IMAGE, "score", "/sound/cry.wav")
    assert re.search(r"cry\.wav +[1-9] of 9 s cry", said), said


def test_it_is_nobody_in_particular_and_holds_no_training():
    program = (
        "import importlib.util as u; print([u.find_spec(n) for n in ('torch', 'librosa', 'pip')])"
    )
    assert run("--entrypoint", "id", IMAGE, "-u") == "10001\n"
    assert run("--entrypoint", "python", IMAGE, "-c", program) == "[None, None, None]\n"
