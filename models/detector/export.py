"""Writes the detector as two ONNX files, with its version inside, and reads its head back."""

from pathlib import Path

import onnx
import onnx.numpy_helper
import torch

from models.detector.calibration import Calibration
from models.detector.networks.context import ContextHead
from models.detector.networks.shufflenet import ShuffleNetV2
from models.detector.runtime import FEATURES_FILE, SCORES_FILE
from models.onnx_files import forget_origin

VERSION = "detector-4"
UNCALIBRATED = Calibration()


class _Scores(torch.nn.Module):
    def __init__(self, head: ContextHead, calibration: Calibration) -> None:
        super().__init__()
        self.head = head
        self.calibration = calibration

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        logits = self.head(windows)
        return torch.sigmoid(self.calibration.slope * logits + self.calibration.offset)


def export(
    backbone: ShuffleNetV2,
    head: ContextHead,
    folder: Path,
    calibration: Calibration = UNCALIBRATED,
) -> None:
    """Write `cry-features.onnx` and `cry-scores.onnx` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    batch = {0: torch.export.Dim("batch")}
    example = torch.zeros(2, 1, 64, 64)
    _write(backbone.eval(), example, "log_mel", "features", batch, folder / FEATURES_FILE)
    export_scores(head, folder, calibration)


def export_scores(head: ContextHead, folder: Path, calibration: Calibration = UNCALIBRATED) -> None:
    """Write only `cry-scores.onnx`: after a calibration nothing else is new."""
    windows = torch.zeros(2, head.seconds, 256)
    scores = _Scores(head, calibration).eval()
    batch = {0: torch.export.Dim("batch")}
    _write(scores, windows, "windows", "scores", batch, folder / SCORES_FILE)


def head_of(folder: Path) -> ContextHead:
    """The head that `cry-scores.onnx` in `folder` holds, without its calibration.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds another head.
    """
    path = folder / SCORES_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{SCORES_FILE} is missing in {folder}")
    graph = onnx.load(path).graph
    stored = {
        part.name.removeprefix("head."): torch.from_numpy(onnx.numpy_helper.to_array(part).copy())
        for part in graph.initializer
    }
    # Heads of any length have the same parts.
    parts = ContextHead(3).state_dict().keys()
    if missing := sorted(parts - stored.keys()):
        raise ValueError(f"{path} holds another head than this one: no {', '.join(missing)}")
    head = ContextHead(graph.input[0].type.tensor_type.shape.dim[1].dim_value)
    head.load_state_dict({name: stored[name] for name in parts})
    return head.eval()


def _write(
    model: torch.nn.Module, example: torch.Tensor, given: str, got: str, batch: dict, path: Path
) -> None:
    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        input_names=[given],
        output_names=[got],
        dynamic_shapes=(batch,),
        verbose=False,
    )
    proto = program.model_proto
    forget_origin(proto)
    entry = proto.metadata_props.add()
    entry.key, entry.value = "version", VERSION
    onnx.save(proto, path)
