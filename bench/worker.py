"""What one worker bears: CPU of a second of sound by stage, age of scores, memory; on Apache Kafka.

    python -m bench.worker --monitors 200 --seconds 60
    python -m bench.worker --limit --seconds 300

A simulated ward is heard as it happens. Beside it, in the same run: the same models on the same
sound without anything around them, and the same worker with one chunk in an event of Faust. On a
busy machine the ratios hold, the milliseconds do not. With `--limit`: the most monitors with the
99th percentile of the age of a chunk, when its score is published, under a second.
"""

import os

# As every `vagitus` command does, before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.running import Measured, Reading
from bench.ward import sounds
from streams.admissions import Admissions
from streams.app import Models, segment_rules
from streams.hearing.arrival import Arrival
from streams.hearing.scoring import Scorer
from streams.records.audio_chunk import AudioChunk
from streams.records.cry_segment import CrySegment
from streams.settings import Settings
from tests.system.brokers import KAFKA, ApacheKafka

# Before so much of the load was heard, neither segments nor caches are what they will be.
WARM_SECONDS = 10
AGE_LIMIT_SECONDS = 1.0
PERCENTILES = (0.5, 0.95, 0.99)
BARE_ROUNDS = 3
FEWEST = 50  # monitors, at which the search for the most begins
STEP = 1.25  # the search's last step: the answer is right to a quarter
SHARE_OF_LIMIT = 0.8


def least(call: Callable[[], object]) -> float:
    """CPU seconds of a call, the least of some rounds."""
    spent = []
    for _ in range(BARE_ROUNDS):
        began = time.process_time()
        call()
        spent.append(time.process_time() - began)
    return min(spent)


def bare(models: Models, rate: int) -> dict[str, float]:
    """Milliseconds of CPU a second of sound of the models alone, on the ward's own sound."""
    heard = sounds(rate)
    seconds = heard.shape[0] * heard.shape[1]
    cries = segments(models, heard, rate)
    waveforms = heard.reshape(seconds, rate)
    window = np.zeros((seconds, models.detector.context_seconds, models.detector.feature_size))
    window = window.astype(np.float32)
    spent = {
        "detector": least(
            lambda: (models.detector.features(waveforms, rate), models.detector.scores(window))
        ),
        "embedder": least(lambda: [models.embedder.embed(cry.waveform(), rate) for cry in cries]),
    }
    return {name: 1000 * value / seconds for name, value in spent.items()}


def segments(models: Models, heard: np.ndarray, rate: int) -> list[CrySegment]:
    """The cries that the worker finds in sounds, float32 [monitors, seconds, rate]."""
    scorer = Scorer(models.detector, segment_rules(Settings()), Admissions(), 0)
    found = []
    for second in range(heard.shape[1]):
        arrivals = [
            Arrival(
                AudioChunk.from_waveform(
                    monitor=f"mon-{number}",
                    sequence=second,
                    captured_at_ms=1_700_000_000_000 + 1000 * second,
                    waveform=heard[number, second],
                    sample_rate_hz=rate,
                ),
                heard[number, second],
                0,
                second * len(heard) + number,
            )
            for number in range(len(heard))
        ]
        found += scorer.score(arrivals).segments
    return [segment for _, segment in (*found, *scorer.sweep().segments)]


def listen(worker: Measured, monitors: int, seconds: int, rate: int) -> tuple[Reading, Reading]:
    """What came while a load was borne, and the figures at its end."""
    load = worker.load(monitors, WARM_SECONDS + seconds, rate)
    try:
        while worker.read().chunks < monitors * WARM_SECONDS / 2:
            time.sleep(1)
        time.sleep(WARM_SECONDS / 2)
        before = worker.read()
        time.sleep(max(1.0, seconds - WARM_SECONDS / 2))
        after = worker.read()
    finally:
        load.kill()
        load.wait()
    return after.since(before), after


def report(came: Reading, alone: dict[str, float]) -> float:
    """Print what a worker spent; returns milliseconds of CPU a second of sound."""
    total = sum(came.cpu.values())
    spent = 1000 * total / came.chunks
    limit = sum(alone.values())
    cried = came.series["vagitus_cry_seconds_total"] / came.chunks
    ages = ", ".join(f"p{100 * share:.0f} {came.age(share):.2f} s" for share in PERCENTILES)
    parts = ", ".join(f"{name} {value:.3f}" for name, value in alone.items())
    print(f"{spent:.3f} ms of CPU a second of sound ({cried:.0%} cries): {spent / limit:.2f} times")
    print(f"the models alone, {limit:.3f} ms: {parts}")
    for stage, seconds in sorted(came.cpu.items(), key=lambda item: -item[1]):
        print(f"  {1000 * seconds / came.chunks:.3f} ms {seconds / total:4.0%}  {stage}")
    print(f"age of a score: {ages}")
    return spent


def compare(broker: ApacheKafka, folder: Path, options: argparse.Namespace) -> None:
    """One load, on the worker as it is and with one chunk in an event."""
    models = Models.load(Settings())
    monitors, seconds, rate = options.monitors, options.seconds, options.rate
    before = bare(models, rate)
    worker = Measured(broker, folder / "batches")
    with worker.running(monitors):
        idle = worker.read().series["process_resident_memory_bytes"]
        came, end = listen(worker, monitors, seconds, rate)
    after = bare(models, rate)
    # The machine may have been busier at one end than at the other.
    alone = {name: (before[name] + after[name]) / 2 for name in before}
    spent = report(came, alone)
    memory = end.series["process_resident_memory_bytes"]
    print(
        f"memory: {memory / 1e6:.0f} MB, {idle / 1e6:.0f} of them before the first chunk; "
        f"{(memory - idle) / monitors / 1e3:.0f} MB more for 1,000 monitors"
    )
    single = Measured(broker, folder / "single", VAGITUS_BATCH_CHUNKS="1")
    with single.running(monitors):
        came, _ = listen(single, monitors, seconds, rate)
    other = 1000 * sum(came.cpu.values()) / came.chunks
    print(f"one chunk in an event of Faust: {other:.3f} ms, {other / spent:.2f} times as much")


def in_time(broker: ApacheKafka, folder: Path, monitors: int, options: argparse.Namespace) -> bool:
    """Whether a worker bears so many monitors; prints how."""
    worker = Measured(broker, folder / str(monitors))
    with worker.running(monitors):
        came, end = listen(worker, monitors, options.seconds, options.rate)
    ages = ", ".join(f"p{100 * share:.0f} {came.age(share):.2f} s" for share in PERCENTILES)
    memory = end.series["process_resident_memory_bytes"] / 1e6
    spent = sum(came.cpu.values())
    print(
        f"{monitors} monitors: age {ages}; {spent / options.seconds:.0%} of a core, "
        f"{1000 * spent / came.chunks:.3f} ms a second of sound, {memory:.0f} MB",
        flush=True,
    )
    heard = came.chunks >= 0.95 * monitors * (options.seconds - WARM_SECONDS / 2)
    return heard and came.age(PERCENTILES[-1]) < AGE_LIMIT_SECONDS


def find_limit(broker: ApacheKafka, folder: Path, options: argparse.Namespace) -> None:
    """The most monitors in time, and how it is at four fifths of them."""
    borne = 0
    monitors = FEWEST
    while in_time(broker, folder, monitors, options):
        borne, monitors = monitors, 2 * monitors
    while borne and monitors / borne > STEP:
        middle = round((borne * monitors) ** 0.5)
        if in_time(broker, folder, middle, options):
            borne = middle
        else:
            monitors = middle
    print(f"most monitors with p99 under {AGE_LIMIT_SECONDS:g} s: {borne}")
    if borne:
        in_time(broker, folder, round(SHARE_OF_LIMIT * borne), options)


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--monitors", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=8000, choices=(8000, 16_000))
    parser.add_argument("--limit", action="store_true", help="search for the most monitors")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        script = [sys.executable, str(KAFKA)]
        data = ["--data", f"{folder}/kafka"]
        started = subprocess.run([*script, "start", *data], stdout=subprocess.PIPE, text=True)
        if started.returncode:
            raise SystemExit("bench: there is no Kafka.")
        try:
            broker = ApacheKafka(started.stdout.split()[-1])
            load = os.getloadavg()[0]
            print(f"{os.cpu_count()} cores at load {load:.1f}, sound at {options.rate} Hz")
            measure = find_limit if options.limit else compare
            measure(broker, Path(folder), options)
        finally:
            subprocess.run([*script, "stop", *data], stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
