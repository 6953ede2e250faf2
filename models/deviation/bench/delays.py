"""How many cries pass until a drift is seen, and how often one is seen where there is none."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.deviation.baseline import REFERENCE_CRIES
from models.deviation.bench.voices import Voices
from models.deviation.bench.watchers import Method, Watcher
from models.deviation.ward import WardModel
from models.synthesis.infant import Trait

# A newborn's bouts of crying, a cry each: what 30 infant-days are in cries.
CRIES_A_DAY = 40
NULL_DAYS = 30
NULL_CRIES = NULL_DAYS * CRIES_A_DAY
# False alarms that a raised threshold lets pass in those days, on average over infants.
FALSE_ALARMS = 1.0

AMOUNTS = (0.5, 1.0, 2.0)
# Usual cries after enrolment and before the drift.
SETTLING_CRIES = 24
# A ramp reaches its amount after two days, and a drift is followed for five.
RAMP_CRIES = 2 * CRIES_A_DAY
FOLLOWED_CRIES = 5 * CRIES_A_DAY
STREAMS_AN_INFANT = 1


class Shape(StrEnum):
    """How a drift comes."""

    STEP = "step"
    RAMP = "ramp"


def measure(
    method: Method, voices: Voices, ward: WardModel, tick: Callable[[], object]
) -> dict[str, object]:
    """Threshold, false alarms in 30 infant-days by infant, and delays by shape, trait, amount.

    A delay is in cries since the drift began; None: not within FOLLOWED_CRIES. Streams that
    alarm before their drift begins are left out.
    """
    infants = range(len(voices.usual))
    enrolled = {i: method.start(ward, voices.usual[i, :REFERENCE_CRIES]) for i in infants}
    quiet = [
        _null(copy.deepcopy(enrolled[i]), voices, i, s)
        for i in infants
        for s in range(STREAMS_AN_INFANT)
    ]
    tick()
    limit = raised(quiet) if method.limit is None else method.limit
    delays: dict[str, list[int | None]] = {}
    for shape in Shape:
        for number, trait in enumerate(Trait):
            for amount in AMOUNTS:
                found: list[int | None] = []
                for infant in infants:
                    for stream in range(STREAMS_AN_INFANT):
                        watcher = copy.deepcopy(enrolled[infant])
                        rng = np.random.default_rng([infant, number, stream, 5])
                        delay = _delay(watcher, voices, infant, number, amount, shape, limit, rng)
                        if delay != 0:
                            found.append(delay)
                delays[f"{shape}/{trait}/{amount}"] = found
            tick()
    return {"limit": limit, "false": [starts(s, limit) for s in quiet], "delays": delays}


STEPS = 1 + len(Shape) * len(Trait)


def starts(series: NDArray[np.float64], limit: float) -> int:
    """How often a series [n] comes to its limit from below."""
    over = series >= limit
    return int(np.sum(over[1:] & ~over[:-1]) + over[0])


def raised(series: Sequence[NDArray[np.float64]]) -> float:
    """The lowest limit under which series of 30 infant-days each have few enough false alarms."""
    candidates = np.unique(np.concatenate(series))
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        # Far down alarms merge into one; from the top they only become more.
        if np.mean([np.sum(s >= candidates[middle]) for s in series]) <= FALSE_ALARMS:
            high = middle
        else:
            low = middle + 1
    # A lower limit may have as few starts where cries over it follow one another.
    while low > 0 and np.mean([starts(s, candidates[low - 1]) for s in series]) <= FALSE_ALARMS:
        low -= 1
    return float(candidates[low])


def _null(watcher: Watcher, voices: Voices, infant: int, stream: int) -> NDArray[np.float64]:
    """Thirty days without a drift: [NULL_CRIES]."""
    rng = np.random.default_rng([infant, stream, 4])
    usual = voices.usual[infant, REFERENCE_CRIES:]
    rows = rng.integers(len(usual), size=NULL_CRIES)
    return np.array([watcher.hear(usual[row], number) for number, row in enumerate(rows)])


def _delay(
    watcher: Watcher,
    voices: Voices,
    infant: int,
    trait: int,
    amount: float,
    shape: Shape,
    limit: float,
    rng: np.random.Generator,
) -> int | None:
    """Cries from the beginning of a drift to the alarm; 0: alarmed before; None: never."""
    usual = voices.usual[infant, REFERENCE_CRIES:]
    for number in range(SETTLING_CRIES):
        if watcher.hear(usual[rng.integers(len(usual))], number) >= limit:
            return 0
    for since in range(1, FOLLOWED_CRIES + 1):
        share = min(1.0, since / RAMP_CRIES) if shape is Shape.RAMP else 1.0
        pool = voices.cries(infant, trait, share * amount)
        cry = pool[rng.integers(len(pool))]
        if watcher.hear(cry, SETTLING_CRIES + since) >= limit:
            return since
    return None
