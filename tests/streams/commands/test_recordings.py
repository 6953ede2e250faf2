"""`vagitus score`, `embed` and `replay`: what they print and write."""

import json

import numpy as np
import pytest

from streams.offline import embed_recording
from tests.streams.ward import record_room


def test_scores_are_printed_a_json_line_a_file(vagitus, scorer, cry, tmp_path):
    record_room(tmp_path / "room.wav")
    (tmp_path / "notes.txt").write_text("no sound, and not named by itself")
    status, page, _ = vagitus("score", tmp_path, "--json")
    lines = [json.loads(line) for line in page.splitlines()]
    paths = [cry, tmp_path / "room.wav"]
    assert status == 0
    assert lines == [{"path": str(path), "seconds": scorer.scores(path)} for path in paths]


def test_scores_without_json_are_for_eyes(vagitus, scorer, cry):
    _, page, _ = vagitus("score", cry)
    crying = sum(score >= 0.5 for score in scorer.scores(cry))
    assert page.startswith(f"{cry}  {crying} of 9 s cry  ")
    assert "█" in page


def test_a_file_that_cannot_be_scored_is_named_and_the_others_are_scored(vagitus, cry, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"")
    status, page, errors = vagitus("score", broken, cry, "--json")
    assert (status, [json.loads(line)["path"] for line in page.splitlines()]) == (1, [str(cry)])
    named, summary = errors.splitlines()
    assert "broken.wav" in named
    assert summary == "vagitus: 1 of the recordings could not be used."


@pytest.mark.parametrize("usable", [True, False])
def test_embeddings_are_written_with_their_paths(vagitus, scorer, models, cry, tmp_path, usable):
    broken, out = tmp_path / "broken.wav", tmp_path / "cries.npz"
    broken.write_bytes(b"")
    status, _, _ = vagitus("embed", broken, *[cry] * usable, "--out", out)
    assert status == 1
    with np.load(out) as file:
        paths, embeddings = file["paths"], file["embeddings"]
    assert paths.tolist() == [str(cry)] * usable
    assert (embeddings.dtype, embeddings.shape) == (np.float32, (int(usable), 192))
    expected = [embed_recording(scorer, models, cry)] * usable
    np.testing.assert_array_equal(embeddings, np.reshape(expected, (-1, 192)))


def test_a_manifest_of_nobody_is_not_replayed_in_silence(vagitus, cry, tmp_path):
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,infant,recorded_at\ncry.wav,,2024-01-01\ncry.wav,infant-1,\n")
    assert vagitus("replay", manifest) == (
        1, "", f"vagitus: {manifest} has no row with a path, an infant and a time.\n",
    )  # fmt: skip


def test_a_replay_is_a_json_line_a_recording_and_names_what_it_cannot_use(vagitus, cry, tmp_path):
    manifest = tmp_path / "manifest.csv"
    rows = ["missing.wav,infant-1,2024-01-02", "cry.wav,infant-1,2024-01-01", "cry.wav,,"]
    manifest.write_text("\n".join(["path,infant,recorded_at", *rows]))
    status, page, errors = vagitus("replay", manifest, "--json")
    (line,) = map(json.loads, page.splitlines())
    assert (status, "missing.wav" in errors) == (1, True)
    assert list(line) == [
        "path", "infant", "recorded_at", "state", "sigma", "p_value", "gate", "reason",
    ]  # fmt: skip
    assert (line["path"], line["infant"], line["recorded_at"]) == (
        "cry.wav",
        "infant-1",
        "2024-01-01",
    )
    assert (line["state"], line["sigma"]) == ("learning", None)
    assert "infant-1" in vagitus("replay", manifest)[1]
