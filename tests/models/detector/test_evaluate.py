"""The evaluation measures the exported files on a corpus and writes one page that stands alone."""

import csv
import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

pytest.importorskip("sklearn")
pytest.importorskip("tqdm")
pytest.importorskip("matplotlib")

from models.detector.evaluate import command
from models.detector.yardstick import yamnet_scores
from models.synthesis.cry import synthesize_cry
from models.synthesis.infant import random_infant

RATE = 8000
COLUMNS = (
    "path", "label", "kind", "source", "group", "split", "infant", "recorded_at", "platform",
    "textgrid",
)  # fmt: skip


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Three synthetic cries with a quiet second, four noises that pass for speech and alarms."""
    rng, folder = np.random.default_rng(0), tmp_path / "corpus"
    folder.mkdir()
    rows = []
    for number in range(7):
        is_cry = number < 3
        sound = 0.01 * rng.normal(size=3 * RATE)
        if is_cry:
            sound[: 2 * RATE] += synthesize_cry(random_infant(rng), 2.0, rng, RATE)
            (folder / f"{number}.TextGrid").write_text('xmin = 0\nxmax = 2\ntext = "cry"\n')
        soundfile.write(folder / f"{number}.wav", sound.clip(-1, 1), RATE)
        source = "donateacry" if is_cry else ("icu_alarms", "asterisk_prompts")[number % 2]
        kind = "cry" if is_cry else f"kind {number}"
        textgrid = f"{number}.TextGrid" if is_cry else ""
        label = "cry" if is_cry else "other"
        rows.append([f"{number}.wav", label, kind, source, number, "test", "", "", "", textgrid])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    monkeypatch.setenv("VAGITUS_DATA", str(folder))
    return folder


def test_every_table_is_printed_and_the_page_needs_nothing_else(corpus, tmp_path):
    run = tmp_path / "run"
    result = CliRunner().invoke(command, ["--run", str(run), "--split", "test"])
    assert result.exit_code == 0, result.output
    for line in ("auc", "calibration_error", "bedside alarms at 5 dB SNR", "speech at 0 dB SNR",
                 "Opus at 16 kb/s", "two infants at once"):  # fmt: skip
        assert line in result.output
    written = json.loads((run / "figures-test.json").read_text())
    assert next(iter(written["figures"].values()))["seconds"] == 21
    page = (run / "report-test.html").read_text()
    assert page.count("<img") >= 3 + 7
    assert page.count('src="data:image/png;base64,') == page.count("<img")
    assert "http" not in page


def test_weights_that_are_not_there_are_one_sentence(corpus, tmp_path):
    result = CliRunner().invoke(
        command, ["--run", str(tmp_path / "run"), "--split", "test", "--weights", str(tmp_path)]
    )
    assert result.exit_code == 1
    assert "Error: cry-features.onnx is missing in" in result.output


def test_a_missing_yardstick_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"yamnet\.tflite"):
        yamnet_scores(tmp_path / "yamnet.tflite", None, [])
