"""Every table comes out of one command, and what is done is not done twice."""

import json

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.detector.paper.commands import command  # noqa: E402
from models.detector.paper.experiments import TABLES  # noqa: E402


def measure(table: str, run, *options: str):
    words = [table, "--run", str(run), "--epochs", "1", "--steps", "4", "--stand-in-epochs", "1"]
    return CliRunner().invoke(command, [*words, "--threads", "1", *options])


def rows_of(run) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in (run / "rows").glob("*.json")}


def test_all_tables_are_measured_and_written_as_a_page(corpus, tmp_path):
    run = tmp_path / "run"
    for table in ("table2", "table3", "table4", "table5", "networks"):
        result = measure(table, run)
        assert result.exit_code == 0, result.output
        assert "Not measured yet" not in result.output
    assert set(rows_of(run)) == {
        f"{table}-{row}" for table, (_, rows) in TABLES.items() for row in rows
        if table != "backbones"
    }  # fmt: skip
    row = rows_of(run)["table4-5s-all"]
    assert 0 <= row["figures"]["val"]["accuracy"] <= 1
    assert row["settings"]["steps"] == 4
    page = tmp_path / "docs" / "paper.md"
    assert measure("page", run, "--page", str(page)).exit_code == 0
    text = page.read_text()
    assert f"| 5s-all | {row['figures']['val']['accuracy']:.4f} |" in text
    assert "1 epochs" in text
    assert "Not measured yet: shufflenet-0.5" in text
    assert str(tmp_path) not in text


def test_one_backbone_can_be_measured_alone_and_only_once(corpus, tmp_path):
    run = tmp_path / "run"
    result = measure("backbones", run, "--row", "shufflenet-0.5")
    assert result.exit_code == 0, result.output
    assert "192,368" in result.output
    stored = run / "rows" / "backbones-shufflenet-0.5.json"
    before = stored.read_text()
    for path in corpus.glob("*.wav"):
        path.unlink()
    for path in (run / "corpus").glob("*.npz"):
        path.unlink()
    assert measure("backbones", run, "--row", "shufflenet-0.5").exit_code == 0
    assert stored.read_text() == before


def test_other_settings_measure_a_row_again(corpus, tmp_path):
    run = tmp_path / "run"
    measure("table3", run, "--row", "random")
    first = rows_of(run)["table3-random"]
    measure("table3", run, "--row", "random", "--seed", "1")
    second = rows_of(run)["table3-random"]
    assert (first["settings"]["seed"], second["settings"]["seed"]) == (0, 1)


def test_the_alternatives_of_the_paper_can_be_chosen(corpus, tmp_path):
    result = measure(
        "table4", tmp_path / "run", "--row", "untrimmed-all", "--loss", "ranking",
        "--refinement", "plain", "--bag-size", "16",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    network = rows_of(tmp_path / "run")["table4-untrimmed-all"]["settings"]["network"]
    assert network.startswith("untrimmed-16-ranking-plain-4-0-best-on-")


def test_an_unknown_row_is_refused_with_the_rows_there_are(corpus, tmp_path):
    result = measure("table2", tmp_path / "run", "--row", "10s")
    assert result.exit_code == 2
    assert "table2 has the rows 5s, untrimmed" in result.output


def test_a_missing_corpus_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.delenv("VAGITUS_DATA", raising=False)
    result = measure("table2", tmp_path / "run")
    assert result.output == "Error: Set VAGITUS_DATA to the folder that holds manifest.csv.\n"
