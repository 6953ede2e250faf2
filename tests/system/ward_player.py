"""A simulated ward that is played to a worker: first in a hurry, then in real time."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from models.synthesis.ward import SAMPLE_RATE_HZ, SimulatedWard
from streams.play import Publisher
from streams.records.admission import Admission
from streams.records.audio_chunk import AudioChunk
from streams.settings import Settings

Waveform = NDArray[np.float32]
# Two busy cores make, send and score so many seconds of three monitors a second.
HURRY = 15


class WardPlayer:
    """Plays from a thread of its own; monitors can be unplugged and plugged in again.

    Args:
        ward: what is played.
        known_seconds: so much of it is dated back and played in a hurry, so that baselines know
            their infants; the rest is played as it happens.
        settings: where to.
        change: what becomes of a second of sound, so many seconds after real time began.
    """

    def __init__(
        self,
        ward: SimulatedWard,
        known_seconds: int,
        settings: Settings,
        change: Callable[[Waveform, float], Waveform] = lambda waveform, since_live: waveform,
    ) -> None:
        self.cots = ward.cots
        self.unplugged: set[str] = set()
        self.live_at = 0.0  # when real time begins, seconds since 1970
        self._ward = iter(ward)
        self._known = known_seconds
        self._settings = settings
        self._change = change
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._played = self._pool.submit(lambda: asyncio.run(self._play()))

    def stop(self) -> None:
        """End it; raises what went wrong while it played."""
        self._stop.set()
        self._played.result()
        self._pool.shutdown()

    def check(self) -> None:
        """Raise what went wrong, if anything did."""
        if self._played.done():
            self._played.result()

    async def _play(self) -> None:
        known = [next(self._ward) for _ in range(self._known)]
        self.live_at = time.time() + self._known / HURRY
        start = self.live_at - self._known
        async with Publisher(self._settings) as publisher:
            for cot in self.cots:
                await publisher.admit(Admission(cot.monitor, cot.infant, cot.ward, cot.bed, 0))
            for second, sounds in enumerate(known):
                await self._send(publisher, start, second, [sound for sound, _ in sounds])
                await asyncio.sleep(1 / HURRY)
            second = self._known
            while not self._stop.is_set():
                sounds = await asyncio.to_thread(next, self._ward)
                await asyncio.sleep(max(0.0, start + second + 1 - time.time()))
                heard = [self._change(sound, second - self._known) for sound, _ in sounds]
                await self._send(publisher, start, second, heard)
                second += 1

    async def _send(
        self, publisher: Publisher, start: float, second: int, waveforms: list[Waveform]
    ) -> None:
        for cot, waveform in zip(self.cots, waveforms, strict=True):
            if cot.monitor not in self.unplugged:
                chunk = AudioChunk.from_waveform(
                    monitor=cot.monitor,
                    sequence=second,
                    captured_at_ms=round(1000 * (start + second)),
                    waveform=waveform,
                    sample_rate_hz=SAMPLE_RATE_HZ,
                )
                await publisher.chunk(chunk)
