"""What a second of sound costs the detector, from samples to score, beside YAMNet.

    python bench/detector.py --yamnet yamnet.tflite

One thread; the least of many runs, for the machine may be busy with other things.
"""

import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from models.detector.runtime import CryDetector
from models.features import log_mel

BATCH = 64
YAMNET_SAMPLES = 15_600


def least(call: Callable[[], object], runs: int, seconds: int) -> float:
    """Milliseconds of CPU a second of sound, the least of some runs."""
    call()
    times = []
    for _ in range(runs):
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return 1000 * min(times) / seconds


@click.command()
@click.option("--runs", default=30, show_default=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path))
@click.option("--yamnet", type=click.Path(exists=True, path_type=Path))
def main(runs: int, weights: Path | None, yamnet: Path | None) -> None:
    """Milliseconds of one core a second of sound, in batches of 64."""
    detector = CryDetector(weights)
    rng = np.random.default_rng(0)
    sounds = {rate: rng.normal(0, 0.1, (BATCH, rate)).astype(np.float32) for rate in (8000, 16_000)}
    spectrogram = least(lambda: log_mel(sounds[8000]), runs, BATCH)
    windows = rng.normal(size=(BATCH, detector.context_seconds, detector.feature_size))
    windows = windows.astype(np.float32)

    def whole(rate: int) -> None:
        detector.features(sounds[rate], rate)
        detector.scores(windows)

    click.echo(f"{detector.version}: log-Mel alone {spectrogram:.3f} ms")
    cost = {rate: least(lambda rate=rate: whole(rate), runs, BATCH) for rate in sounds}
    for rate, milliseconds in cost.items():
        click.echo(f"{detector.version}: samples at {rate} Hz to score {milliseconds:.3f} ms")
    if yamnet is not None:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(yamnet), num_threads=1)
        interpreter.allocate_tensors()
        index = interpreter.get_input_details()[0]["index"]
        interpreter.set_tensor(index, sounds[16_000][:1, :YAMNET_SAMPLES].reshape(-1)[None])
        other = least(interpreter.invoke, runs * 4, 1) * 16_000 / YAMNET_SAMPLES
        click.echo(f"YAMNet: {other:.3f} ms; the detector takes {cost[8000] / other:.2f} of that")


if __name__ == "__main__":
    main()
