"""A training goes on from what it left on disk, and from nothing else."""

import pytest

torch = pytest.importorskip("torch")

from models.detector.checkpoints import Checkpoint, append_row  # noqa: E402


def checkpoint(path, **settings) -> Checkpoint:
    return Checkpoint(path / "a.pt", {"layer": torch.nn.Linear(2, 1)}, settings)


def test_nothing_is_done_without_a_file(tmp_path):
    assert checkpoint(tmp_path).resume() == 0


def test_the_parts_come_back(tmp_path):
    first = checkpoint(tmp_path, epochs=3)
    first.save(2)
    second = checkpoint(tmp_path, epochs=3)
    assert second.resume() == 2
    torch.testing.assert_close(
        second.parts["layer"].state_dict(), first.parts["layer"].state_dict()
    )


def test_other_settings_are_refused(tmp_path):
    checkpoint(tmp_path, epochs=3).save(2)
    with pytest.raises(ValueError, match=r"with \{'epochs': 3\}, not \{'epochs': 4\}"):
        checkpoint(tmp_path, epochs=4).resume()


def test_an_interrupted_save_leaves_the_last_one(tmp_path, monkeypatch):
    first = checkpoint(tmp_path)
    first.save(1)

    def half(state, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        first.save(2)
    assert checkpoint(tmp_path).resume() == 1


def test_a_log_has_its_columns_once(tmp_path):
    for step in (1, 2):
        append_row(tmp_path / "log.csv", {"step": step, "loss": 0.5})
    assert (tmp_path / "log.csv").read_text().split() == ["step,loss", "1,0.5", "2,0.5"]
