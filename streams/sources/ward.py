"""The simulated ward as a source of chunks, and the truth about each of them."""

from collections.abc import Iterator
from itertools import islice

from models.synthesis.ward import SAMPLE_RATE_HZ, Cot, SimulatedWard, Truth
from streams.records.admission import Admission
from streams.records.audio_chunk import AudioChunk
from streams.records.sound import Codec
from streams.sources.source import first_sequence

TRUTHS_KEPT = 500_000
"""About 17 hours of 8 monitors; older truths are forgotten, so that a ward may run for weeks."""


class WardSource:
    """Plays a `SimulatedWard`: every monitor's second begins at the same moment.

    Args:
        ward: who is heard.
        start_ms: capture time of the first second, ms since 1970 UTC.
        seconds: how long the ward lasts; None: until nobody asks any more.
        codec: how the chunks are written.
    """

    def __init__(
        self,
        ward: SimulatedWard,
        start_ms: int,
        seconds: int | None = None,
        codec: Codec = Codec.PCM,
    ) -> None:
        self.ward = ward
        self.start_ms = start_ms
        self.seconds = seconds
        self.codec = codec
        self._truths: dict[tuple[str, int], Truth] = {}

    @property
    def cots(self) -> tuple[Cot, ...]:
        """Who lies where."""
        return self.ward.cots

    def admissions(self) -> list[Admission]:
        """What has to be admitted before the ward is played, so that all of it counts."""
        return [
            Admission(cot.monitor, cot.infant, cot.ward, cot.bed, self.start_ms)
            for cot in self.cots
        ]

    def chunks(self) -> Iterator[AudioChunk]:
        """All seconds in order; within a second, in the order of the cots."""
        sequence = first_sequence(self.start_ms)
        for second, sounds in enumerate(islice(self.ward, self.seconds)):
            captured_at_ms = self.start_ms + 1000 * second
            for waveform, truth in sounds:
                self._remember(captured_at_ms, truth)
                yield AudioChunk.from_waveform(
                    monitor=truth.monitor,
                    sequence=sequence + second,
                    captured_at_ms=captured_at_ms,
                    waveform=waveform,
                    sample_rate_hz=SAMPLE_RATE_HZ,
                    codec=self.codec,
                )

    def truth(self, monitor: str, captured_at_ms: int) -> Truth | None:
        """What happened at a monitor in the second that began then.

        None if that second has not been played, or so long ago that it is forgotten.
        """
        return self._truths.get((monitor, captured_at_ms))

    def truths(self) -> dict[tuple[str, int], Truth]:
        """Every second played so far: (monitor, captured_at_ms) to its truth."""
        return dict(self._truths)

    def _remember(self, captured_at_ms: int, truth: Truth) -> None:
        self._truths[truth.monitor, captured_at_ms] = truth
        if len(self._truths) > TRUTHS_KEPT:
            del self._truths[next(iter(self._truths))]
