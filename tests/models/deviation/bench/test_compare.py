import numpy as np
import pytest
from click.testing import CliRunner

from models.deviation.bench import simulation
from models.deviation.bench.compare import command
from models.deviation.bench.nursery import Nursery


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command over a small corpus, with few made-up infants."""
    monkeypatch.setattr(simulation, "INFANTS", 3)
    monkeypatch.setattr(simulation, "WARD_INFANTS", 40)
    x, infants = Nursery(3).recordings(60, np.random.default_rng(8), most=7)
    numbers = [infants[:i].count(infants[i]) for i in range(len(infants))]
    np.savez(
        tmp_path / "embeddings.npz",
        embeddings=x,
        infants=np.array(infants),
        recorded_at=np.array([f"2015-03-{n + 1:02d}T10:00:00Z" for n in numbers]),
        paths=np.array([f"android/{i}-m-26-hu.3gp" for i in infants]),
        splits=np.array(["test" if i.endswith("0") else "train" for i in infants]),
        embedder=np.array("identity-7"),
    )

    def call(*more):
        return CliRunner().invoke(
            command,
            [
                str(tmp_path / "embeddings.npz"),
                *("--run", str(tmp_path / "rows"), "--page", str(tmp_path / "page.md")),
                *("--repeats", "1", "--only", "neighbours", "--only", "gaussian", *more),
            ],
        )

    return call


def test_the_page_holds_what_was_measured(run, tmp_path):
    result = run()
    assert result.exit_code == 0, result.output
    page = (tmp_path / "page.md").read_text()
    assert "**gaussian**, the default" in page
    assert "identity-7" in page
    assert "Infants with 6 recordings or more" in page
    for count in (simulation.ENROLLED[-1], *simulation.LONG_ENROLLED):
        assert f"- made-up infants, {count} enrolled: " in page


def test_finished_rows_are_not_measured_again(run, tmp_path):
    run()
    stored = {path: path.stat().st_mtime_ns for path in (tmp_path / "rows").iterdir()}
    run()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "rows").iterdir()} == stored
    run("--split", "train", "--split", "test")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "rows").iterdir()} != stored


def test_an_unknown_row_is_named(run):
    result = run("--only", "nobody")
    assert result.exit_code == 2
    assert "no row nobody" in result.output
