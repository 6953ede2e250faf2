"""What the image is made of, as far as it can be seen without Docker: Dockerfile and wheel."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from streams.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
DOCKERFILE = PROJECT / "deploy" / "image" / "Dockerfile"
WHEEL = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
    "targets"
]["wheel"]
BUILD_SECONDS = 300


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
    copied = [line.split() for line in said("COPY") if "--from" not in line]
    assert copied.pop(0) == ["pyproject.toml", "README.md", "LICENSE", "./"]
    assert all(source == target for source, target in copied)
    assert {source for source, _ in copied} == {*WHEEL["packages"], *WHEEL["shared-data"]}


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


def test_its_health_check_asks_for_progress_and_partitions():
    # Docker only shows it: to start a worker again brings no broker back.
    (check,) = said("HEALTHCHECK")
    assert check.endswith('CMD ["vagitus", "health", "--ready"]')


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
    subprocess.run(line, cwd=PROJECT, check=True, timeout=BUILD_SECONDS)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def names(wheel) -> list[str]:
    """What the wheel holds."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def files(folder: str) -> set[str]:
    """What the project has in a folder, by path below it."""
    found = (path for path in (PROJECT / folder).rglob("*") if path.is_file())
    return {path.relative_to(PROJECT / folder).as_posix() for path in found}


def below(names: list[str], folder: str) -> set[str]:
    return {name.split(folder, 1)[1] for name in names if folder in name}


def test_the_wheel_holds_the_weights_the_rules_and_the_dashboards(names):
    assert below(names, "models/weights/") == files("models/weights") != set()
    for source, target in WHEEL["shared-data"].items():
        assert below(names, f".data/data/{target}/") == files(source) != set()
    assert {"deploy/prometheus/rules", "grafana/dashboards"} <= set(WHEEL["shared-data"])


def test_the_wheel_holds_code_beside_them_and_nothing_else(names, wheel):
    stem = "-".join(wheel.name.split("-")[:2])
    tops = {name.split("/")[0] for name in names}
    assert tops == {"streams", "models", f"{stem}.dist-info", f"{stem}.data"}
    kinds = ("*.py", "models/weights/*", "*.dist-info/*", "*.data/*")
    assert [name for name in names if not any(fnmatch(name, kind) for kind in kinds)] == []


def test_an_image_that_cannot_be_built_is_said_in_one_sentence():
    if shutil.which("docker") and not subprocess.run(["docker", "info"]).returncode:
        pytest.skip("docker answers here: `make image` builds one")
    done = subprocess.run(["make", "image"], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.search(r"^make image: .*docker .*\.$", done.stderr, re.MULTILINE)
