"""Ways to watch for drift, each of which turns an infant's cries into one number a cry."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN

from models.deviation.baseline import Baseline, Deviation, Observation
from models.deviation.detectors.autoencoder import Autoencoder
from models.deviation.drift import ADWIN_CLOCK, ADWIN_DELTA, LARGEST_SIGMA
from models.deviation.ward import WardModel

# ICLAS gathers scores by recording session: of so many cries, about a bout.
SESSION_CRIES = 8
# ICLAS states no threshold. This is how an autoencoder's is commonly set: at this percentile of
# its errors on the cries that it was enrolled with.
ENROLMENT_PERCENTILE = 95.0


class Watcher(Protocol):
    """Watches one infant."""

    def hear(self, embedding: NDArray[np.floating], number: int) -> float:
        """How much speaks for drift after this cry, float32 [size]; `number` tells it apart."""


@dataclass(frozen=True)
class Method:
    """A way to watch.

    start: makes a watcher from a ward and the cries [n, size] that enrol an infant.
    limit: of the number a cry at which it alarms; None: raised until false alarms are rare enough.
    """

    name: str
    start: Callable[[WardModel, NDArray[np.float32]], Watcher]
    limit: float | None


class StreamWatcher:
    """The stream's own baseline; `read` says what of each deviation is watched."""

    def __init__(
        self,
        ward: WardModel,
        enrolled: NDArray[np.float32],
        read: Callable[[Deviation], float],
    ) -> None:
        self._baseline = Baseline("infant", ward)
        self._read = read
        for number, cry in enumerate(enrolled):
            self.hear(cry, -1 - number)

    def hear(self, embedding: NDArray[np.floating], number: int) -> float:
        said = self._baseline.observe(
            Observation(f"cry-{number}", 0, 3.0, embedding, 1.0, -20.0, 0.0)
        )
        return self._read(said)


class AdwinWatcher:
    """river's ADWIN alone, over the stream's standardized scores: 1 where it finds a rise."""

    def __init__(self, ward: WardModel, enrolled: NDArray[np.float32]) -> None:
        self._stream = StreamWatcher(ward, enrolled, _sigma)
        self._adwin = ADWIN(delta=ADWIN_DELTA, clock=ADWIN_CLOCK)

    def hear(self, embedding: NDArray[np.floating], number: int) -> float:
        sigma = self._stream.hear(embedding, number)
        before = self._adwin.estimation
        self._adwin.update(float(np.clip(sigma, -LARGEST_SIGMA, LARGEST_SIGMA)))
        return float(self._adwin.drift_detected and self._adwin.estimation > before)


class AutoencoderWatcher:
    """ICLAS's autoencoder: its error in units of the threshold that enrolment sets.

    It learns no more after enrolment: with ICLAS's updating it would learn slow drift as well.
    """

    def __init__(self, ward: WardModel, enrolled: NDArray[np.float32], window: int = 1) -> None:
        self._network = Autoencoder(ward)
        for cry in enrolled:
            self._network.learn_one(cry)
        errors = [self._network.score_one(cry) for cry in enrolled]
        self._threshold = float(np.percentile(errors, ENROLMENT_PERCENTILE))
        self._recent: deque[float] = deque(maxlen=window)

    def hear(self, embedding: NDArray[np.floating], number: int) -> float:
        self._recent.append(self._network.score_one(embedding) / self._threshold)
        return float(np.mean(self._recent))


def _sigma(said: Deviation) -> float:
    return 0.0 if said.sigma is None else said.sigma


def _drifting(said: Deviation) -> float:
    return float(said.drifting)


def _distance(said: Deviation) -> float:
    return 0.0 if said.drift_sigma is None else said.drift_sigma


METHODS = (
    Method("shipped", lambda w, x: StreamWatcher(w, x, _drifting), limit=1.0),
    Method("distance-raised", lambda w, x: StreamWatcher(w, x, _distance), limit=None),
    Method("adwin", AdwinWatcher, limit=1.0),
    Method("sigma-raised", lambda w, x: StreamWatcher(w, x, _sigma), limit=None),
    Method("iclas", AutoencoderWatcher, limit=1.0),
    Method("iclas-raised", AutoencoderWatcher, limit=None),
    Method(
        "iclas-session-raised",
        lambda w, x: AutoencoderWatcher(w, x, SESSION_CRIES),
        limit=None,
    ),
)
EXPLAINED = {
    "shipped": "the stream's baseline: CUSUM against the admission reference, and ADWIN",
    "distance-raised": "the stream's distance from the admission reference, threshold raised",
    "adwin": "ADWIN alone, on the baseline's sigma",
    "sigma-raised": "sigma of a single cry, threshold raised",
    "iclas": "ICLAS: a single cry over the 95th percentile of enrolment errors",
    "iclas-raised": "ICLAS: a single cry, threshold raised",
    "iclas-session-raised": f"ICLAS: mean of {SESSION_CRIES} cries, threshold raised",
}
