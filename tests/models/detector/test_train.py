"""Training reads a corpus, learns, goes on after an interruption, and exports what runs."""

import csv
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("sklearn")

from models.corpora.manifest import Recording  # noqa: E402
from models.detector import advice, backbone, export, head, teacher  # noqa: E402
from models.detector.calibration import Calibration  # noqa: E402
from models.detector.data import load_seconds  # noqa: E402
from models.detector.head import CONTEXT_SECONDS  # noqa: E402
from models.detector.runtime import CryDetector  # noqa: E402
from models.detector.tagger import Tagger  # noqa: E402
from models.detector.teacher import folds_of  # noqa: E402
from models.detector.train import command  # noqa: E402
from models.detector.yamnet import Yamnet  # noqa: E402
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
    for name, few in (("VIEWS", 24), ("VIEW_BATCH", 12), ("STEPS", 20), ("LOG_EVERY", 10)):
        monkeypatch.setattr(head, name, few)
    monkeypatch.setattr(backbone, "BATCH", 16)
    monkeypatch.setattr(teacher, "BATCH", 4)
    monkeypatch.setattr(teacher, "FOLDS", 2)
    for module in ("train", "teacher"):
        monkeypatch.setattr(f"models.detector.{module}.inventions", lambda: [])
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


class SilentTagger(Tagger):
    """In the place of YAMNet, whose file is no part of the project."""

    def __init__(self, path: Path) -> None:
        pass

    def scores(self, waveforms):
        return np.zeros((len(waveforms), 521), np.float32)


def test_an_exported_detector_is_advised_once(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(advice, "Tagger", SilentTagger)
    monkeypatch.setattr(advice, "VIEWS", 96)
    run, yamnet = tmp_path / "run", tmp_path / "yamnet.tflite"
    yamnet.touch()
    with monkeypatch.context() as patched:
        patched.setattr(export, "VERSION", "detector-3")
        assert train(run, epochs=2).exit_code == 0
    features = (run / "cry-features.onnx").read_bytes()
    arguments = ["--yamnet", str(yamnet), "--weights", str(run), "--run", str(run)]
    scores = (run / "cry-scores.onnx").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(advice, "finish", Mock(side_effect=ValueError("no val")))
        assert CliRunner().invoke(advice.command, arguments).exit_code == 1
    assert (run / "cry-scores.onnx").read_bytes() == scores
    result = CliRunner().invoke(advice.command, arguments)
    assert result.exit_code == 0, result.output
    assert "auc" in result.output
    assert CryDetector(run).version == export.VERSION != "detector-3"
    assert (run / "cry-features.onnx").read_bytes() == features
    scores = (run / "cry-scores.onnx").read_bytes()
    again = CliRunner().invoke(advice.command, arguments)
    assert again.exit_code == 1
    assert "heeds YAMNet already" in again.output
    assert (run / "cry-scores.onnx").read_bytes() == scores


def test_with_yamnet_training_ends_with_its_advice(corpus, tmp_path, monkeypatch):
    asked: list[Path] = []

    def advised(head, weights, sound, tagger, seed):
        asked.append(weights)
        head.take(torch.zeros(256), 50.0)

    monkeypatch.setattr("models.detector.train.Tagger", SilentTagger)
    monkeypatch.setattr("models.detector.train.advised", advised)
    monkeypatch.setattr("models.detector.finish._calibrated", lambda *_: Calibration())
    run = tmp_path / "run"
    arguments = ["--run", str(run), "--epochs", "2", "--threads", "1", "--yamnet", "x"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert asked == [run]
    windows = np.zeros((2, CONTEXT_SECONDS, 256), np.float32)
    assert (CryDetector(run).scores(windows) > 0.99).all()


def test_a_missing_corpus_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.delenv("VAGITUS_DATA", raising=False)
    result = CliRunner().invoke(command, ["--run", str(tmp_path / "run")])
    assert result.exit_code == 1
    assert result.output == "Error: Set VAGITUS_DATA to the folder that holds manifest.csv.\n"


def test_a_teacher_of_another_corpus_is_refused(corpus, tmp_path):
    np.savez(tmp_path / "teacher.npz", logits=np.zeros((3, 8), np.float32))
    arguments = ["--run", str(tmp_path / "run"), "--teacher", str(tmp_path / "teacher.npz")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert "judges 3 seconds, but this corpus has 80" in result.output


def test_teaching_judges_every_second_out_of_its_group_and_goes_on(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(teacher, "read_yamnet", lambda path: Yamnet())
    run = tmp_path / "run"
    arguments = ["--yamnet", "x", "--run", str(run), "--steps", "1", "--threads", "1"]
    result = CliRunner().invoke(teacher.command, arguments)
    assert result.exit_code == 0, result.output
    with np.load(run / "teacher.npz") as arrays:
        logits = arrays["logits"]
    assert logits.shape == (80, 8)
    assert np.isfinite(logits).all()
    monkeypatch.setattr(teacher, "tune", None)  # a fold that is done is not tuned again
    assert CliRunner().invoke(teacher.command, arguments).exit_code == 0


def test_folds_keep_groups_together_and_spread_each_sort():
    def recording(number: int) -> Recording:
        return Recording(
            path=Path("x"), is_cry=number % 2 == 0, kind=str(number % 2), source="s",
            group=str(number // 4 * 2 + number % 2), split="train", infant="", recorded_at="",
            platform="", textgrid=None,
        )  # fmt: skip

    recordings = [recording(number) for number in range(160)]
    folds = folds_of(recordings, 4)
    for group in {r.group for r in recordings}:
        assert len({f for f, r in zip(folds, recordings, strict=True) if r.group == group}) == 1
    for kind in ("0", "1"):
        counts = np.bincount([f for f, r in zip(folds, recordings, strict=True) if r.kind == kind])
        assert counts.tolist() == [20] * 4


def test_the_group_knows_its_commands():
    output = CliRunner().invoke(main, ["--help"]).output
    for name in ("detector", "embedder", "ward"):
        assert name in output
