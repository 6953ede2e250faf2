"""The wheel by itself in a fresh environment, as in the image: `make try-wheel`.

Not among `make test`'s tests: half a gigabyte is unpacked, and fetched where no cache has it.
"""

import re
import subprocess
import venv
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.deploy.test_image import PROJECT, said
from tests.streams.ward import record_cry

# By the names of their distributions, which differ from those that are imported.
TRAINING = {"torch", "torchaudio", "librosa", "onnx", "onnxscript", "scikit-learn", "matplotlib"}
INSTALL_SECONDS = 600
RUN_SECONDS = 120
# A port that nobody listens at.
NOWHERE = "127.0.0.1:1"


def extras() -> str:
    """The extras that the image is installed with, in brackets."""
    return re.search(r"whl\)(\[[a-z,]+\])", " ".join(said("RUN")))[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A fresh environment with the wheel of `make wheel`."""
    (wheel,) = (PROJECT / "dist").glob("vagitus-*.whl")
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    pip = [folder / "bin" / "python", "-m", "pip"]
    line = [*pip, "install", "--quiet", f"{wheel}{extras()}"]
    subprocess.run(line, check=True, timeout=INSTALL_SECONDS)
    line = [*pip, "uninstall", "--quiet", "--yes", "pip", "setuptools"]
    subprocess.run(line, check=True, timeout=INSTALL_SECONDS)
    return folder


@pytest.fixture(scope="module")
def packages(installed) -> Path:
    """Where its packages lie."""
    (packages,) = (installed / "lib").glob("python*/site-packages")
    return packages


@pytest.fixture
def vagitus(installed, tmp_path):
    """Run the installed command outside of the project: exit status and output."""

    def run(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [installed / "bin" / "vagitus", *map(str, arguments)],
            cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, timeout=RUN_SECONDS,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout

    return run


def test_it_is_without_what_training_needs_and_tells_its_size(packages, capsys):
    names = {found.metadata["Name"].lower() for found in distributions(path=[str(packages)])}
    assert {"vagitus", "onnxruntime", "psycopg", "hl7"} <= names
    assert names & TRAINING == set()
    sizes = {
        path.name: sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
        for path in packages.iterdir()
    }
    largest = sorted(sizes, key=sizes.get, reverse=True)[:6]
    with capsys.disabled():
        print(f"\n{sum(sizes.values()):.0f} MB installed, {len(names)} packages; the largest:")
        print(", ".join(f"{name} {sizes[name]:.0f} MB" for name in largest))


def test_rules_and_dashboards_lie_beside_it(installed):
    share = installed / "share" / "vagitus"
    assert (share / "prometheus" / "rules" / "patients.yaml").is_file()
    assert (share / "grafana" / "dashboards" / "ward.json").is_file()


@pytest.mark.parametrize(
    "line", ["--version", "--help", "worker --help", "play --help", "completion bash"]
)
def test_it_says_what_it_is(vagitus, line):
    status, page = vagitus(*line.split())
    assert status == 0
    assert "vagitus" in page


def test_it_brings_its_own_time_zones(installed):
    line = "import zoneinfo; print(zoneinfo.TZPATH, zoneinfo.ZoneInfo('Europe/Berlin'))"
    done = subprocess.run(
        [installed / "bin" / "python", "-c", line],
        env={"PYTHONTZPATH": ""}, capture_output=True, text=True, timeout=RUN_SECONDS,
    )  # fmt: skip
    assert done.stdout == "() Europe/Berlin\n", done.stderr


def test_its_models_load_and_a_missing_broker_is_told(vagitus):
    status, page = vagitus("doctor", "--broker", NOWHERE)
    assert status == 1
    assert re.search(r"^ok +models: ", page, re.MULTILINE)
    assert re.search(r"^FAIL +broker: ", page, re.MULTILINE)


def test_it_hears_a_cry(vagitus, tmp_path):
    status, page = vagitus("score", record_cry(tmp_path / "cry.wav"))
    cries, seconds = map(int, re.search(r"(\d+) of (\d+) s cry", page).groups())
    assert status == 0
    assert 0 < cries < seconds == 9
