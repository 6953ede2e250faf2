"""What the image is made of, as far as it can be seen without Docker: wheel and environment."""

import re
import subprocess
import sys
import venv
import zipfile
from fnmatch import fnmatch
from importlib.metadata import distributions
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.streams.ward import record_cry

PROJECT = Path(__file__).resolve().parents[2]
DOCKERFILE = PROJECT / "deploy" / "image" / "Dockerfile"
# By the names of their distributions, which differ from those that are imported.
TRAINING = {"torch", "torchaudio", "librosa", "onnx", "onnxscript", "scikit-learn", "matplotlib"}
# Half a gigabyte is fetched, if no cache has it, and unpacked.
INSTALL_SECONDS = 600
RUN_SECONDS = 120


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined."""
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def said(instruction: str) -> list[str]:
    return [arguments for name, arguments in instructions() if name == instruction]


def test_every_file_that_is_copied_exists_and_reaches_the_build():
    rules = (PROJECT / ".dockerignore").read_text().splitlines()
    assert rules[1] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source for line in said("COPY") if "--from" not in line for source in line.split()[:-1]
    }
    assert copied == let_in
    assert all((PROJECT / name).exists() for name in copied)


def test_nothing_but_the_wheels_own_sources_is_copied():
    metadata = (PROJECT / "pyproject.toml").read_text()
    packages = re.search(r"^packages = \[(.*)\]", metadata, re.MULTILINE)[1]
    folders = {name for line in said("COPY")[1:3] for name in line.split()[:-1]}
    assert folders == set(re.findall(r'"(\w+)"', packages))


def test_both_stages_stand_on_the_same_pinned_python():
    (image,) = (line.removeprefix("PYTHON=") for line in said("ARG"))
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", image)
    assert {line.split()[0] for line in said("FROM")} == {"${PYTHON}"}


def test_the_image_runs_as_a_numbered_user_and_writes_into_a_volume_only():
    (user,) = said("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    environment = dict(pair.split("=", 1) for line in said("ENV") for pair in line.split())
    assert said("VOLUME") == [environment["VAGITUS_STATE_DIR"]]
    assert environment["VAGITUS_METRICS_HOST"] == "0.0.0.0"
    names = [name for name in environment if name.startswith("VAGITUS_")]
    assert {name.removeprefix("VAGITUS_").lower() for name in names} <= set(Settings.model_fields)


def test_its_health_check_asks_for_progress():
    (check,) = said("HEALTHCHECK")
    assert check.endswith('CMD ["vagitus", "health"]')


def extras() -> str:
    """The extras that the image is installed with, in brackets."""
    return re.search(r"whl\)(\[[a-z,]+\])", " ".join(said("RUN")))[1]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built as the image builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    line = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        folder,
        ".",
    ]
    subprocess.run(line, cwd=PROJECT, check=True, timeout=INSTALL_SECONDS)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_code_and_the_weights_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    weights = {path.name for path in (PROJECT / "models" / "weights").iterdir()}
    assert weights == {Path(name).name for name in names if name.startswith("models/weights/")}
    assert {name.split("/")[0] for name in names} - {"streams", "models"} == {
        f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    }
    kinds = ("*.py", "models/weights/*", "*.dist-info/*")
    assert [name for name in names if not any(fnmatch(name, kind) for kind in kinds)] == []


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Path:
    """A fresh environment with the wheel, as in the image."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    line = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", f"{wheel}{extras()}"]
    subprocess.run(line, check=True, timeout=INSTALL_SECONDS)
    line = [folder / "bin" / "python", "-m", "pip", "uninstall", "--quiet", "--yes", "pip"]
    subprocess.run([*line, "setuptools"], check=True, timeout=INSTALL_SECONDS)
    return folder


def vagitus(installed: Path, folder: Path, *arguments: object) -> str:
    """What the installed command says, run outside the project."""
    done = subprocess.run(
        [installed / "bin" / "vagitus", *map(str, arguments)],
        cwd=folder, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=RUN_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.system
def test_what_is_installed_is_without_what_training_needs_and_hears_a_cry(
    installed, tmp_path, capsys
):
    (packages,) = (installed / "lib").glob("python*/site-packages")
    names = {found.metadata["Name"].lower() for found in distributions(path=[str(packages)])}
    assert {"vagitus", "onnxruntime", "psycopg", "hl7"} <= names
    assert names & TRAINING == set()
    assert "Usage: vagitus" in vagitus(installed, tmp_path, "--help")
    scored = vagitus(installed, tmp_path, "score", record_cry(tmp_path / "cry.wav"))
    cries, seconds = map(int, re.search(r"(\d+) of (\d+) s cry", scored).groups())
    assert 0 < cries < seconds == 9
    megabytes = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) / 1e6
    with capsys.disabled():
        print(f"\nthe image's Python environment: {megabytes:.0f} MB, {len(names)} packages")
