"""A simulated ward, second by second, with its ground truth.

Each cot has an infant, a microphone, a room, and its share of the ward's noise. Everything follows
from the seed; a cot sounds the same whether four or forty others stand beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from models.synthesis.cry import SHORTEST_EXPIRATION_SECONDS, cry
from models.synthesis.infant import Infant, Trait, drifted, random_infant
from models.synthesis.noise import babble, beeps, hvac
from models.synthesis.room import Room

SAMPLE_RATE_HZ: Final = 16_000

WARD: Final = "nicu"

DRIFT_AMOUNT: Final = 5.0
"""Within-infant standard deviations by which the drifting infant ends up away: 2.5 semitones, and a
good deal hoarser. Large, so that a demonstration of a minute can show it."""

DRIFT_TRAITS: Final = (Trait.PITCH, Trait.ROUGHNESS)
"""What moves: the larynx tires and swells within days, while a vocal tract keeps its length."""

SHORTEST_GAP_SECONDS: Final = 4.0
"""Between two cries of an infant: they stay two, however one draws the line."""

BOUT_SECONDS: Final = (2.5, 6.0)
"""Shortest and longest cry."""

HVAC_SECONDS: Final = 24
"""Length of the air noise that is made once for each cot and then looped."""

SPEECH_SECONDS: Final = 60
"""Length of the talk that is made once for the ward; a visit takes any piece of it."""

# Levels in dBFS (root mean square), drawn once for each cot, and for each event.
HVAC_DBFS: Final = (-66.0, -54.0)
BABBLE_DBFS: Final = (-46.0, -36.0)
BEEPS_DBFS: Final = (-48.0, -36.0)
CRY_GAIN_DB: Final = (-12.0, -2.0)

# Mean gap before, and shortest and longest length of, the other sounds of a cot, in seconds.
BABBLE_GAP, BABBLE_SECONDS = 35.0, (3.0, 10.0)
BEEPS_GAP, BEEPS_SECONDS = 50.0, (3.0, 8.0)

_Event = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Cot:
    """One place of the ward: which monitor hears which infant, in which bed."""

    monitor: str
    infant: str
    ward: str
    bed: str


@dataclass(frozen=True)
class Truth:
    """What really happened in one second at one monitor.

    Attributes:
        monitor: the monitor's id.
        second: counted from the ward's first second, 0.
        infant: pseudonym of the infant in that cot.
        cry_fraction: share of the second in which the infant was voicing a cry, 0 to 1.
        drifting: whether the infant's voice has begun to move away from what it was.
    """

    monitor: str
    second: int
    infant: str
    cry_fraction: float
    drifting: bool


class SimulatedWard:
    """A ward of synthetic infants that never ends.

    Args:
        monitors: how many cots.
        seed: everything follows from it.
        cry_fraction: share of the time that each infant cries, breaths between included.
        drift_at_seconds: when one infant's voice starts to move; None: nobody's does.
        drift_amount: where it ends up, in within-infant standard deviations (`infant.drifted`).
        drift_over_seconds: how long it takes; 0 is a step.
        bout_seconds: shortest and longest cry; short ones let a short run hear more of them.

    Iterating gives, for each second, a list with one `(waveform, truth)` for each cot in the order
    of `cots`: float32 [16000] at 16 kHz within -1 to 1, and its `Truth`. Every iteration starts the
    same ward anew.

    Raises:
        ValueError: no monitors, a share of crying that leaves no time to cry or to rest, or cries
            shorter than one breath.
    """

    def __init__(
        self,
        monitors: int = 8,
        seed: int = 0,
        cry_fraction: float = 0.2,
        drift_at_seconds: float | None = None,
        drift_amount: float = DRIFT_AMOUNT,
        drift_over_seconds: float = 0.0,
        bout_seconds: tuple[float, float] = BOUT_SECONDS,
    ) -> None:
        if monitors < 1:
            raise ValueError(f"a ward needs at least one monitor, not {monitors}")
        if not 0.0 < cry_fraction <= 0.5:
            raise ValueError(
                f"infants cry more than 0 and up to 0.5 of the time, not {cry_fraction}"
            )
        if not SHORTEST_EXPIRATION_SECONDS <= bout_seconds[0] <= bout_seconds[1]:
            raise ValueError(f"cries cannot last from {bout_seconds[0]} to {bout_seconds[1]} s")
        self.seed = seed
        self.cry_fraction = cry_fraction
        self.drift_at_seconds = drift_at_seconds
        self.drift_amount = drift_amount
        self.drift_over_seconds = drift_over_seconds
        self.bout_seconds = bout_seconds
        self.infants = self._different_infants(monitors)
        self.cots = tuple(
            Cot(monitor=f"mon-{n}", infant=infant.name, ward=WARD, bed=f"cot-{n}")
            for n, infant in enumerate(self.infants, start=1)
        )
        self._drifts = self._who_drifts()

    @property
    def drifting_infant(self) -> str | None:
        """Pseudonym of the infant that drifts, if any does."""
        return None if self.drift_at_seconds is None else self.infants[self._drifts].name

    @cached_property
    def speech(self) -> np.ndarray:
        """The talk of the ward's staff and visitors, float32 [samples], at unit level."""
        rng = np.random.default_rng([self.seed, 4])
        return babble(SPEECH_SECONDS * SAMPLE_RATE_HZ, rng, SAMPLE_RATE_HZ)

    def __iter__(self) -> Iterator[list[tuple[np.ndarray, Truth]]]:
        places = [_Place(self, number) for number in range(len(self.cots))]
        second = 0
        while True:
            yield [place.next_second(second) for place in places]
            second += 1

    def infant_at(self, number: int, second: float) -> tuple[Infant, bool]:
        """The infant in cot `number` (from 0) as it is at that second, and whether it drifts."""
        infant = self.infants[number]
        if self.drift_at_seconds is None or number != self._drifts:
            return infant, False
        since = second - self.drift_at_seconds
        if since < 0.0:
            return infant, False
        share = min(1.0, since / self.drift_over_seconds) if self.drift_over_seconds else 1.0
        return drifted(infant, share * self.drift_amount, DRIFT_TRAITS), True

    def _who_drifts(self) -> int:
        """One of the half with lower and clearer voices: risen, they are still newborn voices."""
        pitch_rank = np.argsort(np.argsort([infant.pitch_hz for infant in self.infants]))
        roughness_rank = np.argsort(np.argsort([infant.roughness for infant in self.infants]))
        order = np.argsort(pitch_rank + roughness_rank, kind="stable")
        candidates = order[: (len(order) + 1) // 2]
        return int(np.random.default_rng([self.seed, 1]).choice(candidates))

    def _different_infants(self, count: int) -> tuple[Infant, ...]:
        """Infants with names of their own."""
        infants: list[Infant] = []
        taken: set[str] = set()
        for number in range(count):
            rng = np.random.default_rng([self.seed, 2, number])
            infant = random_infant(rng)
            while infant.name in taken:
                infant = replace(infant, name=f"infant-{rng.integers(16**4):04x}")
            taken.add(infant.name)
            infants.append(infant)
        return tuple(infants)


class _Track:
    """A sound that comes and goes: events from `make`, with random gaps between them."""

    def __init__(
        self,
        make: Callable[[float], _Event],
        mean_gap_seconds: float,
        rng: np.random.Generator,
    ) -> None:
        self._make = make
        self._mean_extra_gap = max(mean_gap_seconds - SHORTEST_GAP_SECONDS, 0.1)
        self._rng = rng
        self._now = 0
        # The first event comes within one mean gap, so that a short run hears something too.
        self._start = round(rng.uniform(0.5, mean_gap_seconds) * SAMPLE_RATE_HZ)
        self._event: _Event | None = None

    def next_second(self) -> _Event:
        """The next second: float32 [16000] and bool [16000], true where the event sounds."""
        wave = np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)
        mask = np.zeros(SAMPLE_RATE_HZ, dtype=bool)
        end = self._now + SAMPLE_RATE_HZ
        while self._start < end:
            if self._event is None:
                self._event = self._make(self._start / SAMPLE_RATE_HZ)
            sound, sounds = self._event
            first = max(self._start, self._now)
            last = min(self._start + sound.size, end)
            inside = slice(first - self._start, last - self._start)
            outside = slice(first - self._now, last - self._now)
            wave[outside] = sound[inside]
            mask[outside] = sounds[inside]
            if last == end and last < self._start + sound.size:
                break
            gap = SHORTEST_GAP_SECONDS + self._rng.exponential(self._mean_extra_gap)
            self._start, self._event = last + round(gap * SAMPLE_RATE_HZ), None
        self._now = end
        return wave, mask


class _Place:
    """One cot while the ward runs."""

    def __init__(self, ward: SimulatedWard, number: int) -> None:
        rng = np.random.default_rng([ward.seed, 3, number])
        self._ward, self._number, self._rng = ward, number, rng
        self._room = Room(rng, SAMPLE_RATE_HZ)
        self._hvac = _amplitude(HVAC_DBFS, rng) * hvac(HVAC_SECONDS * SAMPLE_RATE_HZ, rng)
        self._cry_gain = _amplitude(CRY_GAIN_DB, rng)
        mean_gap = np.mean(ward.bout_seconds) * (1.0 - ward.cry_fraction) / ward.cry_fraction
        self._cries = _Track(self._cry, mean_gap, rng)
        self._others = (
            _Track(self._babble, BABBLE_GAP, rng),
            _Track(self._beeps, BEEPS_GAP, rng),
        )

    def next_second(self, second: int) -> tuple[np.ndarray, Truth]:
        """The sound at the microphone, and the truth about it."""
        cries, voiced = self._cries.next_second()
        at = second % HVAC_SECONDS * SAMPLE_RATE_HZ
        heard = cries + self._hvac[at : at + SAMPLE_RATE_HZ]
        for track in self._others:
            heard += track.next_second()[0]
        cot = self._ward.cots[self._number]
        _, drifting = self._ward.infant_at(self._number, second)
        truth = Truth(cot.monitor, second, cot.infant, float(voiced.mean()), drifting)
        return np.clip(heard, -1.0, 1.0), truth

    def _cry(self, at_seconds: float) -> _Event:
        infant, _ = self._ward.infant_at(self._number, at_seconds)
        made = cry(infant, self._rng.uniform(*self._ward.bout_seconds), self._rng, SAMPLE_RATE_HZ)
        return self._cry_gain * self._room.heard(made.waveform), made.voiced

    def _babble(self, at_seconds: float) -> _Event:
        length = round(self._rng.uniform(*BABBLE_SECONDS) * SAMPLE_RATE_HZ)
        speech = self._ward.speech
        first = self._rng.integers(speech.size - length)
        sound = _amplitude(BABBLE_DBFS, self._rng) * speech[first : first + length]
        return self._room.heard(sound), np.ones(length, dtype=bool)

    def _beeps(self, at_seconds: float) -> _Event:
        length = round(self._rng.uniform(*BEEPS_SECONDS) * SAMPLE_RATE_HZ)
        sound = _amplitude(BEEPS_DBFS, self._rng) * beeps(length, self._rng, SAMPLE_RATE_HZ)
        return self._room.heard(sound), np.ones(length, dtype=bool)


def _amplitude(range_db: tuple[float, float], rng: np.random.Generator) -> np.float32:
    """A factor drawn evenly in decibels."""
    return np.float32(10.0 ** (rng.uniform(*range_db) / 20.0))
