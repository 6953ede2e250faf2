"""Personal models as bytes: named arrays and a version, never code.

safetensors holds plain arrays, so that a table's changelog can be read by anyone and run nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

# Count up when the arrays change, and say in UPGRADES how to come from the one before.
FORMAT = 6

Arrays = dict[str, NDArray[Any]]
Labels = dict[str, str]


class StateError(ValueError):
    """Bytes that are not a personal model which this version can go on with."""


def pack(arrays: Mapping[str, NDArray[Any]], labels: Mapping[str, str]) -> bytes:
    """Arrays and a few short texts as safetensors bytes."""
    texts = {
        f"label.{name}": np.frombuffer(text.encode(), np.uint8) for name, text in labels.items()
    }
    held = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return save({"format": np.array([FORMAT], dtype=np.int64), **held, **texts})


def unpack(blob: bytes) -> tuple[Arrays, Labels]:
    """What `pack` was given, or would be today for bytes of an older format.

    Raises StateError: not such bytes, of a format that is not known, or non-finite.
    """
    try:
        arrays = load(blob)
    except (SafetensorError, ValueError, TypeError) as error:
        raise StateError(f"these bytes are not a stored baseline: {error}") from error
    form = arrays.pop("format", None)
    if form is None or form.shape != (1,) or form.dtype != np.int64:
        raise StateError("these bytes are not a stored baseline: they name no format")
    stored = int(form[0])
    if stored != FORMAT and stored not in UPGRADES:
        raise StateError(
            f"a stored baseline of format {stored}; this version reads format {FORMAT} and "
            f"{', '.join(map(str, UPGRADES))}: rebuild it from the infant's embeddings"
        )
    labels: Labels = {}
    for name in [name for name in arrays if name.startswith("label.")]:
        try:
            labels[name.removeprefix("label.")] = arrays.pop(name).tobytes().decode()
        except UnicodeDecodeError as error:
            raise StateError(f"a stored baseline whose {name} is not text") from error
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise StateError(f"a stored baseline whose {name} holds a number that is not finite")
    try:
        for older in range(stored, FORMAT):
            arrays, labels = UPGRADES[older](arrays, labels)
    except KeyError as missing:
        raise StateError(f"a stored baseline of format {stored} without {missing}") from missing
    return arrays, labels


def _from_1(arrays: Arrays, labels: Labels) -> tuple[Arrays, Labels]:
    """Format 1 knew one detector, and kept neither admission cries nor how wild they were.

    Its rules differ from the next ones in these alone, so it goes on under them.
    """
    size = arrays["drift.recent"].size
    added = {"admission": np.zeros((0, size), np.float32), "drift.wildness": np.ones(1)}
    version = labels["version"].replace("baseline-1+", "baseline-2+", 1)
    return arrays | added, labels | {"detector": "GaussianDetector", "version": version}


def _from_2(arrays: Arrays, labels: Labels) -> tuple[Arrays, Labels]:
    """Format 2 trusted an infant's own spread sooner, so its scores are of another measure.

    What was learnt of the cries stays; the scores that calibrate begin anew, and until there are
    some the ward's stand in.
    """
    version = labels["version"].replace("baseline-2+", "baseline-3+", 1)
    unheard = {"calibration.scores": np.zeros(0, arrays["calibration.scores"].dtype)}
    return arrays | unheard, labels | {"version": version}


def _from_3(arrays: Arrays, labels: Labels) -> tuple[Arrays, Labels]:
    """Format 3 held no cry back; its scores are of the same measure."""
    size, none = arrays["detector.mean"].size, np.zeros(0, np.int64)
    held = {
        "waiting.embeddings": np.zeros((0, size), np.float32),
        "waiting.scores": np.zeros(0),
        "waiting.started_at_ms": none,
        "waiting.deviant": none,
        "waiting.followed": none,
        "waiting.run": np.zeros(1, np.int64),
    }
    version = labels["version"].replace("baseline-3+", "baseline-4+", 1)
    return arrays | held, labels | {"version": version, "waiting": ""}


def _from_4(arrays: Arrays, labels: Labels) -> tuple[Arrays, Labels]:
    """Format 4 is of the same numbers; what they mean rests on the ward for longer now."""
    version = labels["version"].replace("baseline-4+", "baseline-5+", 1)
    return arrays, labels | {"version": version}


def _from_5(arrays: Arrays, labels: Labels) -> tuple[Arrays, Labels]:
    """Format 5 is of the same numbers; of an infant long known they rest on the ward for less."""
    version = labels["version"].replace("baseline-5+", "baseline-6+", 1)
    return arrays, labels | {"version": version}


# What makes the arrays and labels of format n those of format n + 1.
UPGRADES: dict[int, Callable[[Arrays, Labels], tuple[Arrays, Labels]]] = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
    4: _from_4,
    5: _from_5,
}
