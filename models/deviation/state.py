"""Personal models as bytes: named arrays and a version, never code.

safetensors holds plain arrays, so that a table's changelog can be read by anyone and run nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

FORMAT = 1


class StateError(ValueError):
    """Bytes that are not a personal model which this version can go on with."""


def pack(arrays: Mapping[str, NDArray[Any]], labels: Mapping[str, str]) -> bytes:
    """Arrays and a few short texts as safetensors bytes."""
    texts = {
        f"label.{name}": np.frombuffer(text.encode(), np.uint8) for name, text in labels.items()
    }
    held = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return save({"format": np.array([FORMAT], dtype=np.int64), **held, **texts})


def unpack(blob: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """What `pack` was given. Raises StateError: not such bytes, another format, non-finite."""
    try:
        arrays = load(blob)
    except (SafetensorError, ValueError, TypeError) as error:
        raise StateError(f"these bytes are not a stored baseline: {error}") from error
    form = arrays.pop("format", None)
    if form is None or form.shape != (1,) or form.dtype != np.int64:
        raise StateError("these bytes are not a stored baseline: they name no format")
    if int(form[0]) != FORMAT:
        raise StateError(
            f"a stored baseline of format {int(form[0])}; this version reads format {FORMAT}: "
            "rebuild it from the infant's embeddings"
        )
    labels = {}
    for name in [name for name in arrays if name.startswith("label.")]:
        try:
            labels[name.removeprefix("label.")] = arrays.pop(name).tobytes().decode()
        except UnicodeDecodeError as error:
            raise StateError(f"a stored baseline whose {name} is not text") from error
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise StateError(f"a stored baseline whose {name} holds a number that is not finite")
    return arrays, labels
