"""Labels of single seconds: from TextGrid intervals, or from what a recording is as a whole."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.corpora.manifest import Recording

CRY, OTHER, UNKNOWN = 1, 0, -1
# A second is a cry if this much of it is marked, and not one if nothing is; between them nobody
# would agree.
CRY_SECONDS = 0.3
# Times are decimal: 4.0 - 3.7 is a hair under 0.3 in binary.
ROUNDING_SECONDS = 1e-6
# Collections whose recordings are cries from end to end.
WHOLE_CRIES = frozenset({"giulbia"})

_INTERVAL = re.compile(
    r"xmin\s*=\s*(?P<start>[\d.]+)\s*xmax\s*=\s*(?P<end>[\d.]+)\s*text\s*=\s*\"(?P<text>[^\"]*)\""
)


def cry_intervals(textgrid: Path) -> list[tuple[float, float]]:
    """The intervals marked `cry` in a Praat TextGrid, in seconds."""
    found = _INTERVAL.finditer(textgrid.read_text(errors="replace"))
    return [
        (float(match["start"]), float(match["end"]))
        for match in found
        if match["text"].strip().lower() == "cry"
    ]


def second_labels(recording: Recording, seconds: int) -> NDArray[np.int8]:
    """Label every second of a recording: int8 [seconds], `CRY`, `OTHER` or `UNKNOWN`."""
    if not recording.is_cry:
        return np.full(seconds, OTHER, np.int8)
    if recording.textgrid is not None:
        return _from_intervals(cry_intervals(recording.textgrid), seconds)
    label = CRY if recording.source in WHOLE_CRIES else UNKNOWN
    return np.full(seconds, label, np.int8)


def _from_intervals(intervals: list[tuple[float, float]], seconds: int) -> NDArray[np.int8]:
    marked = np.zeros(seconds)
    for start, end in intervals:
        for second in range(int(start), min(seconds, int(np.ceil(end)))):
            marked[second] += max(0.0, min(end, second + 1) - max(start, second))
    labels = np.full(seconds, UNKNOWN, np.int8)
    labels[marked >= CRY_SECONDS - ROUNDING_SECONDS] = CRY
    labels[marked == 0] = OTHER
    return labels
