"""Training reads a corpus, learns, goes on after an interruption, and exports what runs."""

import csv

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("sklearn")

from models.detector.data import load_seconds  # noqa: E402
from models.detector.runtime import CryDetector  # noqa: E402
from models.detector.train import CONTEXT_SECONDS, command, windows_of  # noqa: E402
from models.train import main  # noqa: E402

RATE = 8000
COLUMNS = (
    "path", "label", "kind", "source", "group", "split", "infant", "recorded_at", "platform",
    "textgrid",
)  # fmt: skip


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Sweeps that are called cries, and noise that is not; half of the cries' sound is marked."""
    folder, rng = tmp_path / "corpus", np.random.default_rng(0)
    folder.mkdir()
    rows = []
    for number in range(40):
        is_cry = number % 2 == 0
        time = np.arange(4 * RATE) / RATE
        sound = 0.02 * rng.normal(size=time.size)
        if is_cry:
            sound[: 2 * RATE] += 0.3 * np.sin(2 * np.pi * 450 * time[: 2 * RATE])
            (folder / f"{number}.TextGrid").write_text(
                'xmin = 0\nxmax = 2\ntext = "cry"\nxmin = 2\nxmax = 4\ntext = "-"\n'
            )
        soundfile.write(folder / f"{number}.wav", sound, RATE)
        split = ("train", "train", "val", "test")[number // 2 % 4]
        textgrid = f"{number}.TextGrid" if is_cry else ""
        rows.append(
            [f"{number}.wav", "cry" if is_cry else "other", "k", "donateacry", number, split, "",
             "", "", textgrid]
        )  # fmt: skip
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    monkeypatch.setenv("VAGITUS_DATA", str(folder))
    return folder


def test_the_corpus_is_cut_into_labelled_seconds(corpus, tmp_path):
    manifest, seconds = load_seconds(corpus, "train", tmp_path / "run")
    assert seconds.waveforms.shape == seconds.copies.shape == (80, RATE)
    assert not np.array_equal(seconds.waveforms, seconds.copies)
    of_cries = np.array([manifest[i].is_cry for i in seconds.recordings])
    assert seconds.labels[of_cries].tolist() == [1, 1, 0, 0] * 10
    assert not seconds.labels[~of_cries].any()
    assert {manifest[i].split for i in seconds.recordings} == {"train"}


def test_the_sound_is_read_once(corpus, tmp_path):
    _, first = load_seconds(corpus, "val", tmp_path / "run")
    for path in corpus.glob("*.wav"):
        path.unlink()
    _, second = load_seconds(corpus, "val", tmp_path / "run")
    np.testing.assert_array_equal(first.waveforms, second.waveforms)


def test_windows_never_reach_into_another_recording():
    features = torch.arange(7.0)[:, None].expand(7, 256)
    windows = windows_of(features, np.array([3, 3, 3, 3, 3, 3, 8]))
    assert windows.shape == (7, CONTEXT_SECONDS, 256)
    assert windows[5, :, 0].tolist() == [1, 2, 3, 4, 5]
    assert windows[1, :, 0].tolist() == [0, 0, 0, 0, 1]
    assert windows[6, :, 0].tolist() == [6] * 5


def train(run, epochs: int):
    return CliRunner().invoke(
        command, ["--run", str(run), "--epochs", str(epochs), "--threads", "1"]
    )


def test_training_goes_on_where_it_was_interrupted_and_exports(corpus, tmp_path, monkeypatch):
    run = tmp_path / "run"

    def save_and_interrupt(state, path):
        save(state, path)
        raise KeyboardInterrupt

    save = torch.save
    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", save_and_interrupt)
        assert train(run, epochs=2).exit_code == 1
    other = train(run, epochs=3)
    assert "run of 2 epochs" in other.output
    result = train(run, epochs=2)
    assert result.exit_code == 0, result.output
    with (run / "log.csv").open() as file:
        steps = [row["step"] for row in csv.DictReader(file) if row["stage"] == "backbone"]
    assert steps == ["1", "2"]
    assert "auc" in result.output
    assert (run / "figures-val.json").exists()
    assert CryDetector(run).context_seconds == CONTEXT_SECONDS


def test_a_missing_corpus_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.delenv("VAGITUS_DATA", raising=False)
    result = CliRunner().invoke(command, ["--run", str(tmp_path / "run")])
    assert result.exit_code == 1
    assert result.output == "Error: Set VAGITUS_DATA to the folder that holds manifest.csv.\n"


def test_nothing_to_evaluate_is_one_sentence(corpus, tmp_path):
    result = CliRunner().invoke(command, ["--run", str(tmp_path / "run"), "--evaluate-only"])
    assert result.exit_code == 1
    assert "Error: cry-features.onnx is missing in" in result.output


def test_the_group_knows_its_commands():
    output = CliRunner().invoke(main, ["--help"]).output
    for name in ("detector", "embedder", "ward"):
        assert name in output
