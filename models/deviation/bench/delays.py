"""How many cries pass until a drift is seen, and how often one is seen where there is none."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.deviation.baseline import REFERENCE_CRIES
from models.deviation.bench.voices import AMOUNTS, Shape, Voices
from models.deviation.bench.watchers import Method, Watcher
from models.deviation.ward import WardModel
from models.synthesis.infant import Trait

# A newborn's bouts of crying, a cry each: what 30 infant-days are in cries.
CRIES_A_DAY = 40
NULL_DAYS = 30
NULL_CRIES = NULL_DAYS * CRIES_A_DAY
# False alarms that a raised threshold lets pass in those days, on average over infants.
FALSE_ALARMS = 1.0

# Usual cries between enrolment and the drift: less than a day's, and six days'.
SOON, LATE = 24, 240
# An infant's cries in several orders: which of them enrol is a large part of the chance.
STREAMS_AN_INFANT = 4


def measure(
    method: Method,
    voices: Voices,
    ward: WardModel,
    tick: Callable[[], object],
    settlings: Sequence[int] = (SOON,),
) -> dict[str, object]:
    """Threshold, false alarms in 30 infant-days by stream, and delays by settling and drift.

    A delay is in cries since the drift began, None: not before its cries were over. Streams that
    alarm before their drift begins are left out.
    """
    streams = [(i, s) for i in range(len(voices.usual)) for s in range(STREAMS_AN_INFANT)]
    dealt, started = {}, {}
    for infant, stream in streams:
        rng = np.random.default_rng([infant, stream, 4])
        cries = rng.permutation(voices.usual[infant])
        started[infant, stream] = method.start(ward, cries[:REFERENCE_CRIES])
        dealt[infant, stream] = cries[REFERENCE_CRIES:]
    quiet = [
        heard(copy.deepcopy(started[key]), over_and_over(dealt[key], NULL_CRIES, list(key)))
        for key in streams
    ]
    tick()
    limit = raised(quiet) if method.limit is None else method.limit
    delays: dict[str, list[int | None]] = {}
    for settling in settlings:
        settled = {}
        for key in streams:
            watcher = copy.deepcopy(started[key])
            if np.max(heard(watcher, dealt[key][:settling])) < limit:
                settled[key] = watcher
        for name, drift in _drifts(voices):
            delays[f"{settling}/{name}"] = [
                _delay(copy.deepcopy(watcher), drift(*key), limit)
                for key, watcher in settled.items()
            ]
            tick()
    return {"limit": limit, "false": [starts(s, limit) for s in quiet], "delays": delays}


def steps(settlings: int = 1) -> int:
    """How often `measure` ticks."""
    return 1 + settlings * len(Shape) * len(Trait) * len(AMOUNTS)


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


def heard(watcher: Watcher, cries: NDArray[np.float32]) -> NDArray[np.float64]:
    """What a watcher says after each of the cries [n, size]: [n]."""
    return np.array([watcher.hear(cry, number) for number, cry in enumerate(cries)])


def over_and_over(
    cries: NDArray[np.float32], count: int, seed: Sequence[int]
) -> NDArray[np.float32]:
    """So many cries [count, size]: all of these, then all again in another order, and so on.

    Were they drawn one by one, some would come more often, and move the mean.
    """
    rng = np.random.default_rng([*seed, 6])
    rounds = [rng.permutation(len(cries)) for _ in range(-(-count // len(cries)))]
    return cries[np.concatenate(rounds)[:count]]


def _drifts(
    voices: Voices,
) -> Iterator[tuple[str, Callable[[int, int], NDArray[np.float32]]]]:
    """Every drift's name, and what gives its cries for an infant and a stream."""
    for shape in Shape:
        for number, trait in enumerate(Trait):
            for place, amount in enumerate(AMOUNTS):

                def cries(
                    infant: int,
                    stream: int,
                    number: int = number,
                    place: int = place,
                    shape: Shape = shape,
                ) -> NDArray[np.float32]:
                    order = np.random.default_rng([infant, stream, number, place, 5])
                    return voices.drift(infant, number, place, shape, order)

                yield f"{shape}/{trait}/{amount}", cries


def _delay(watcher: Watcher, cries: NDArray[np.float32], limit: float) -> int | None:
    """After how many of these cries the watcher alarms; None: after none."""
    for since, cry in enumerate(cries, start=1):
        if watcher.hear(cry, since) >= limit:
            return since
    return None
