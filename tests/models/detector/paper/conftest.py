"""A small corpus whose cries are tones and whose other sounds are noise."""

import csv
from pathlib import Path

import numpy as np
import pytest

RATE = 8000
COLUMNS = (
    "path", "label", "kind", "source", "group", "split", "infant", "recorded_at", "platform",
    "textgrid",
)  # fmt: skip
SECONDS = 7
TEXTGRID = 'xmin = 0\nxmax = 3\ntext = "cry"\nxmin = 3\nxmax = 7\ntext = "-"\n'


@pytest.fixture
def corpus(tmp_path, monkeypatch) -> Path:
    """24 recordings of 7 s; every second one cries for its first 3 s, and is marked in two of 3."""
    soundfile = pytest.importorskip("soundfile")
    folder, rng = tmp_path / "corpus", np.random.default_rng(0)
    folder.mkdir()
    rows = []
    time = np.arange(SECONDS * RATE) / RATE
    for number in range(24):
        is_cry = number % 2 == 0
        marked = is_cry and number % 3 != 0
        sound = 0.02 * rng.normal(size=time.size)
        if is_cry:
            sound[: 3 * RATE] += 0.3 * np.sin(2 * np.pi * 450 * time[: 3 * RATE])
        if marked:
            (folder / f"{number}.TextGrid").write_text(TEXTGRID)
        soundfile.write(folder / f"{number}.wav", sound, RATE)
        split = ("train", "train", "val", "test")[number // 2 % 4]
        rows.append(
            [f"{number}.wav", "cry" if is_cry else "other", "cry" if is_cry else "noise",
             "donateacry", number, split, "", "", "", f"{number}.TextGrid" if marked else ""]
        )  # fmt: skip
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    monkeypatch.setenv("VAGITUS_DATA", str(folder))
    return folder
