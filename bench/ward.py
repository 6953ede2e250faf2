"""The load: monitors that each send a second of sound every second, at moments of their own.

    python -m bench.ward BROKER TOPIC MONITORS SECONDS RATE

Sixteen simulated cots lend their sound to all monitors, each heard from a second of its own on, so
that a thousand take no more to make than sixteen. A process of its own sends them.
"""

import asyncio
import sys
import time
from collections.abc import Iterator

import numpy as np
from confluent_kafka import Producer
from numpy.typing import NDArray

from models.synthesis.ward import SAMPLE_RATE_HZ, SimulatedWard
from models.waveform import resample
from streams.kafka.topics import ADMISSIONS
from streams.play import Publisher
from streams.records.admission import Admission
from streams.records.audio_chunk import AudioChunk
from streams.records.sound import Codec, encode_sound
from streams.settings import Settings

COTS = 16
# Long enough that every cot cries several times; then it is heard again.
LOOP_SECONDS = 60
CRY_FRACTION = 0.15
# Between the beginnings of two monitors with one cot's sound; no divisor of the loop.
SHIFT_SECONDS = 7
# Nearer to its moment than this, a chunk is sent at once: a nap is no shorter.
SLACK_SECONDS = 0.003


def sounds(rate: int) -> NDArray[np.float32]:
    """The cots' sound: float32 [16, 60, rate]."""
    ward = SimulatedWard(COTS, seed=0, cry_fraction=CRY_FRACTION)
    seconds = [
        resample(np.stack([waveform for waveform, _ in heard]), SAMPLE_RATE_HZ, rate)
        for _, heard in zip(range(LOOP_SECONDS), ward, strict=False)
    ]
    return np.stack(seconds, axis=1)


def place(number: int, second: int) -> tuple[int, int]:
    """The cot and the second of its loop that monitor `number` sends."""
    return number % COTS, (second + SHIFT_SECONDS * (number // COTS)) % LOOP_SECONDS


def admissions(monitors: int) -> list[Admission]:
    """An infant at each."""
    return [Admission(f"mon-{n}", f"infant-{n}", "nicu", f"cot-{n}", 0) for n in range(monitors)]


async def admit(settings: Settings, monitors: int) -> None:
    """Put an infant at each monitor."""
    async with Publisher(settings) as publisher:
        sent = [
            await publisher.send(ADMISSIONS, admission.monitor.encode(), admission.to_json())
            for admission in admissions(monitors)
        ]
        await asyncio.gather(*sent)


def payloads(rate: int) -> list[list[bytes]]:
    """What each cot's monitor sends in each second of its loop."""
    return [[encode_sound(second, rate, Codec.PCM) for second in loop] for loop in sounds(rate)]


def chunks(monitors: int, seconds: int, rate: int) -> Iterator[AudioChunk]:
    """Every monitor's seconds, in the order in which they end; the first begins now."""
    written = payloads(rate)
    began = time.time()
    for second in range(seconds):
        for number in range(monitors):
            cot, heard = place(number, second)
            yield AudioChunk(
                monitor=f"mon-{number}",
                sequence=int(began) + second,
                captured_at_ms=round(1000 * (began + second + number / monitors)),
                sample_rate_hz=rate,
                codec=Codec.PCM,
                payload=written[cot][heard],
            )


def main() -> None:
    """Send until the time is over; says by how much it was late at the end."""
    broker, topic, *numbers = sys.argv[1:]
    monitors, seconds, rate = map(int, numbers)
    producer = Producer({"bootstrap.servers": broker, "linger.ms": 5})
    late = 0.0
    for chunk in chunks(monitors, seconds, rate):
        late = time.time() - chunk.captured_at_ms / 1000 - 1
        if -late > SLACK_SECONDS:
            time.sleep(-late)
        key, value, headers = chunk.encode()
        producer.produce(topic, value, key, headers=headers)
        producer.poll(0)
    producer.flush()
    print(f"{max(0.0, late):.3f}")


if __name__ == "__main__":
    main()
