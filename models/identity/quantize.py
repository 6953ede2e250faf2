"""`vagitus-train embedder quantize`: the embedder with 8-bit weights and activations.

Smaller and, where a CPU has 8-bit instructions, faster; what it costs is for `embedder evaluate
--weights` to say.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.identity.pairs import CryFrames
from models.identity.readers import READERS, cached_cry_frames
from models.identity.runtime import DEFAULT_WEIGHTS, VERSION_KEY
from models.onnx_files import forget_origin

# Where nearly all of the multiplications are. The rest (softmax, statistics) is cheap and delicate.
QUANTIZED = ("Conv", "MatMul", "Gemm")
# Ranges of activations settle after a few dozen recordings; each is cut to this many frames.
CALIBRATION_RECORDINGS = 60
CALIBRATION_FRAMES = 400
PATH = click.Path(path_type=Path)


@click.command("quantize")
@click.option("--corpus", envvar="VAGITUS_DATA", required=True, type=PATH, help="Corpus folder.")
@click.option("--reader", type=click.Choice(tuple(READERS)), default="donateacry")
@click.option("--weights", default=DEFAULT_WEIGHTS, type=PATH, help="Exported embedder (ONNX).")
@click.option("--out", required=True, type=PATH, help="Where the 8-bit embedder is written.")
@click.option("--run", "folder", default="runs/identity", show_default=True, type=PATH)
def quantize_command(corpus: Path, reader: str, weights: Path, out: Path, folder: Path) -> None:
    """Quantize an exported embedder to int8, its ranges taken from cries of train."""
    cries = cached_cry_frames(corpus, reader, "train", folder.parent)
    quantize(weights, out, spread(cries))
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB, from {weights.stat().st_size / 1e6:.1f}")


def spread(cries: list[CryFrames]) -> list[CryFrames]:
    """As many of the cries as ranges need, from first to last."""
    return cries[:: max(1, len(cries) // CALIBRATION_RECORDINGS)]


def quantize(weights: Path, out: Path, cries: list[CryFrames]) -> None:
    """Write `weights` with 8-bit convolutions to `out`; ranges come from `cries`.

    Weights have a scale for each channel. The version in the file gains `-int8`, for embeddings
    of the two must not be mixed.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(weights), str(prepared), skip_symbolic_shape=True)
        input_name = onnx.load(weights).graph.input[0].name
        quantize_static(
            str(prepared),
            str(out),
            _Cries(cries, input_name),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTIZED),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            # Half of the range: sums of products of two full bytes overflow 16 bits on CPUs
            # without VNNI.
            reduce_range=True,
        )
    model = onnx.load(out)
    metadata = {entry.key: entry.value for entry in onnx.load(weights).metadata_props}
    metadata[VERSION_KEY] += "-int8"
    forget_origin(model)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, out)


class _Cries(CalibrationDataReader):
    def __init__(self, cries: list[CryFrames], input_name: str) -> None:
        self._batches = self._centred(cries, input_name)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)

    @staticmethod
    def _centred(cries: list[CryFrames], input_name: str) -> Iterator[dict[str, np.ndarray]]:
        for cry in cries:
            frames = cry.frames[:CALIBRATION_FRAMES]
            yield {input_name: (frames - frames.mean(axis=0)).astype(np.float32)[None]}
