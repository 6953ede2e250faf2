"""The 8-bit embedder is smaller, says what it is, and answers nearly as the whole one."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from models.identity.export import export  # noqa: E402
from models.identity.network import EcapaTdnn, Layout  # noqa: E402
from models.identity.pairs import CryFrames  # noqa: E402
from models.identity.quantize import CALIBRATION_RECORDINGS, quantize, spread  # noqa: E402
from models.identity.runtime import CryEmbedder  # noqa: E402
from models.identity.verification import Owner  # noqa: E402

LAYOUT = Layout(channels=(64, 64, 64), kernel_sizes=(5, 3, 3), dilations=(1, 2, 3))


def cries(count):
    rng = np.random.default_rng(0)
    frames = [rng.normal(-40, 10, (120, 80)).astype(np.float32) for _ in range(count)]
    return [CryFrames(Owner(f"i{i}", f"i{i}", "ios", 0), f) for i, f in enumerate(frames)]


def test_the_small_embedder_agrees_with_the_whole_one(tmp_path):
    torch.manual_seed(0)
    whole, small = tmp_path / "whole.onnx", tmp_path / "new" / "small.onnx"
    export(EcapaTdnn(LAYOUT), whole, {"version": "identity-9", "start": "x"})
    quantize(whole, small, cries(8))
    assert small.stat().st_size < 0.6 * whole.stat().st_size
    before, after = CryEmbedder(whole), CryEmbedder(small)
    assert (before.version, after.version) == ("identity-9", "identity-9-int8")
    waveform = np.random.default_rng(1).normal(0, 0.1, 20_000).astype(np.float32)
    first, second = before.embed(waveform, 16_000), after.embed(waveform, 16_000)
    assert first @ second > 0.98
    assert not np.array_equal(first, second)


def test_ranges_come_from_cries_of_the_whole_list():
    chosen = spread(cries(3 * CALIBRATION_RECORDINGS))
    assert len(chosen) == CALIBRATION_RECORDINGS
    assert len(spread(cries(5))) == 5
