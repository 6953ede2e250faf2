"""Writes a trained embedder as the one ONNX file that the running system reads."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from models.identity.network import EcapaTdnn
from models.identity.runtime import VERSION_KEY
from models.onnx_files import forget_origin

OPSET = 18
# Any length would do: the number of frames stays free in the graph.
EXAMPLE_FRAMES = 200
# Lengths that the exported graph is checked on: the shortest cry, an odd one, a long one.
CHECKED_FRAMES = (51, 333, 1500)
# float32 sums in another order differ by about 1e-5 at the magnitudes of these embeddings.
TOLERANCE = 1e-3


def export(network: EcapaTdnn, path: Path, metadata: dict[str, str]) -> None:
    """Write `network` to `path`: float32 [1, frames, mels] -> float32 [1, 192].

    One cry a call: cries differ in length, and padding would change their statistics.
    `metadata` must name a `version`; all of it is kept in the file.

    Raises:
        ValueError: `metadata` has no version, or the written graph answers otherwise than the
            network (then no file is left).
    """
    if VERSION_KEY not in metadata:
        raise ValueError(f"metadata needs the key {VERSION_KEY!r}")
    network = copy.deepcopy(network).cpu().eval()
    example = torch.zeros(1, EXAMPLE_FRAMES, network.layout.mels)
    path.parent.mkdir(parents=True, exist_ok=True)
    program = torch.onnx.export(
        network,
        (example,),
        input_names=["features"],
        output_names=["embeddings"],
        dynamic_shapes=({1: torch.export.Dim("frames", min=16, max=10_000)},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    forget_origin(model)
    onnx.helper.set_model_props(model, metadata)
    unchecked = path.with_suffix(".unchecked")
    onnx.save(model, unchecked)
    try:
        _check(network, unchecked)
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)


def _check(network: EcapaTdnn, path: Path) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    for frames in CHECKED_FRAMES:
        features = (10 * rng.standard_normal((1, frames, network.layout.mels))).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(features)).numpy()
        got = session.run(None, {"features": features})[0]
        difference = float(np.abs(got - expected).max())
        if difference > TOLERANCE:
            raise ValueError(f"the ONNX graph is off by {difference:.2g} at {frames} frames")
