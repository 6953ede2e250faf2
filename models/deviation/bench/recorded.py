"""False beginnings of drift on recorded infants, so that synthetic ones do not mislead.

No recorded infant was recorded for thirty days. Its few cries are dealt in a random order again and
again, which no drift survives; what stays real is how recorded cries scatter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.deviation.baseline import REFERENCE_CRIES
from models.deviation.bench.delays import NULL_CRIES, heard, over_and_over, starts
from models.deviation.bench.watchers import Method
from models.deviation.ward import WardModel

SPLITS = {"train", "val"}
# With fewer recordings an infant's cries scatter in next to no direction.
FEWEST_OWN = 6
STREAMS_AN_INFANT = 2
# Infants whose cries scatter as all recorded ones together do.
DEALT_INFANTS = 20

# Own cries again and again, and other infants' steps from their means dealt out anew.
Streams = dict[str, list[NDArray[np.float32]]]


def streams(path: Path) -> Streams:
    """Streams of cries [enrolment and thirty days, size] by kind, of an embeddings file.

    Raises OSError, KeyError or ValueError: no such file, or not one of embeddings.
    """
    with np.load(path, allow_pickle=False) as data:
        kept = np.isin(data["splits"], list(SPLITS))
        x, names = data["embeddings"][kept], data["infants"][kept]
    counts = Counter(names.tolist())
    length = REFERENCE_CRIES + NULL_CRIES
    own = [
        over_and_over(x[names == name], length, [number, stream])
        for number, name in enumerate(sorted(counts))
        if counts[name] >= FEWEST_OWN
        for stream in range(STREAMS_AN_INFANT)
    ]
    # The scatter of n cries about their own mean is that about the infant's, less one part in n.
    steps = np.concatenate(
        [
            (x[names == name] - x[names == name].mean(axis=0)) * np.sqrt(count / (count - 1))
            for name, count in sorted(counts.items())
            if count > 1
        ]
    )
    rng = np.random.default_rng(8)
    centres = [x[names == name].mean(axis=0) for name in sorted(counts)]
    dealt = [
        (centres[rng.integers(len(centres))] + steps[rng.integers(len(steps), size=length)]).astype(
            np.float32
        )
        for _ in range(DEALT_INFANTS)
    ]
    return {"own": own, "dealt": dealt}


def measure(
    method: Method,
    limit: float,
    found: Streams,
    ward: WardModel,
    tick: Callable[[], object],
) -> dict[str, object]:
    """Beginnings over the limit in thirty days of each stream, by kind."""
    false: dict[str, list[int]] = {}
    for kind, cries in found.items():
        false[kind] = []
        for stream in cries:
            watcher = method.start(ward, stream[:REFERENCE_CRIES])
            false[kind].append(starts(heard(watcher, stream[REFERENCE_CRIES:]), limit))
        tick()
    return {"limit": limit, "false": false}
