"""The command says what is wrong in one sentence, and a fold holds whole installs out."""

from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner  # noqa: E402

from models.identity.network import EcapaTdnn, Layout  # noqa: E402
from models.identity.pairs import CryFrames  # noqa: E402
from models.identity.runtime import CryEmbedder  # noqa: E402
from models.identity.train import FOLDS, command, split_fold  # noqa: E402
from models.identity.verification import Owner  # noqa: E402

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


def test_folds_hold_every_install_out_once_and_never_half_of_it():
    sizes = {f"g{i}": 1 + i % 4 for i in range(10)}
    cries = [
        CryFrames(Owner(group, group, "ios", 0), np.zeros((1, 80), np.float32))
        for group, size in sizes.items()
        for _ in range(size)
    ]
    held = Counter()
    for fold in range(FOLDS):
        kept, out = split_fold(cries, fold)
        assert not {c.owner.group for c in kept} & {c.owner.group for c in out}
        assert len(kept) + len(out) == len(cries)
        held.update(c.owner.group for c in out)
    assert held == sizes
