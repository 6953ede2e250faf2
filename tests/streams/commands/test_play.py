"""`vagitus play`: a simulated ward is admitted and heard, and plays over nobody."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from itertools import islice

import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from models.synthesis.ward import SimulatedWard
from streams.admissions import read_admissions
from streams.kafka.topics import AUDIO_CHUNKS
from streams.records.audio_chunk import AudioChunk
from streams.settings import Settings

PROGRAM = [sys.executable, "-c", "from streams.cli import main; main()"]
PATIENCE_SECONDS = 60


def heard(settings: Settings) -> list[AudioChunk]:
    """Every chunk on the broker, in the order of its capture time."""

    async def read() -> list[AudioChunk]:
        consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
        await consumer.start()
        try:
            name = AUDIO_CHUNKS.name(settings)
            partitions = [TopicPartition(name, p) for p in range(settings.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[AudioChunk] = []
            while len(found) < sum(ends.values()):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += [AudioChunk.decode(r.key, r.value, list(r.headers)) for r in batch]
            return sorted(found, key=lambda chunk: (chunk.captured_at_ms, chunk.monitor))
        finally:
            await consumer.stop()

    return asyncio.run(asyncio.wait_for(read(), PATIENCE_SECONDS))


def simulate(vagitus_there, *arguments: object) -> tuple[int, str, str]:
    return vagitus_there("play", "--simulate", *arguments, "--speed", "max", "--duration", "3s")


def test_a_simulated_ward_is_admitted_and_heard(vagitus_there, settings):
    status, page, _ = simulate(vagitus_there, 2, "--seed", 5, "--drift-after", 2)
    assert (status, page.splitlines()[-1]) == (0, "6 seconds sent from 2 monitors.")
    ward = SimulatedWard(2, seed=5, drift_at_seconds=2)
    admitted = asyncio.run(read_admissions(settings))
    assert {m: (a.infant, a.bed) for m, a in admitted.items()} == {
        cot.monitor: (cot.infant, cot.bed) for cot in ward.cots
    }
    chunks = heard(settings)
    sounds = [sound for second in islice(ward, 3) for sound, _ in second]
    for chunk, sound in zip(chunks, sounds, strict=True):
        np.testing.assert_allclose(chunk.waveform(), sound, atol=1e-4)
    assert {a.admitted_at_ms for a in admitted.values()} == {chunks[0].captured_at_ms}


def test_what_is_played_in_a_hurry_is_dated_back_so_that_it_ends_now(vagitus_there, settings):
    before = time.time()
    simulate(vagitus_there, 1)
    first, *_, last = (chunk.captured_at_ms / 1000 for chunk in heard(settings))
    assert before - 4 < first < last + 1 < time.time()


def test_the_same_ward_may_be_played_again_but_over_nobody_else(vagitus_there, settings):
    assert simulate(vagitus_there, 2)[0] == 0
    assert simulate(vagitus_there, 2)[0] == 0
    there = asyncio.run(read_admissions(settings))["mon-1"]
    status, page, errors = simulate(vagitus_there, 2, "--seed", 1)
    assert (status, page) == (1, "")
    assert errors.startswith(f"vagitus: {there.infant} lies at mon-1: ")
    assert len(heard(settings)) == 12
    assert asyncio.run(read_admissions(settings))["mon-1"] == there


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_ward_without_an_end_ends_when_told_to(settings, number):
    names = ("broker", "topic_prefix", "app_id", "partitions")
    environment = {f"VAGITUS_{name.upper()}": str(getattr(settings, name)) for name in names}
    with subprocess.Popen(
        [*PROGRAM, "play", "--simulate", "1"],
        env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert "admitted" in process.stdout.readline()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not heard(settings) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(number)
        assert " sent from 1 monitor." in process.stdout.readline()
        assert process.wait(PATIENCE_SECONDS) == 0
