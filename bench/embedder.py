"""What a second of cry costs the embedder, from samples to embedding, beside the detector.

    python bench/embedder.py --weights runs/identity/int8.onnx --yamnet yamnet.tflite

One thread; the least of many runs, for the machine may be busy with other things. The detector is
the yardstick that every machine has: it hears every second of sound, the embedder only cries.
"""

import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from models.detector.runtime import CryDetector
from models.identity.runtime import (
    DEFAULT_WEIGHTS,
    SAMPLE_RATE_HZ,
    CryEmbedder,
    centred_features,
)

# A short cry, a usual bout, the longest segment.
CRY_SECONDS = (1, 3, 10, 30)
YAMNET_SAMPLES = 15_600


def least(calls: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Milliseconds of CPU of each call, the least of some runs, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(runs):
        for name, call in calls.items():
            begin = time.process_time()
            call()
            times[name].append(1000 * (time.process_time() - begin))
    return {name: min(column) for name, column in times.items()}


def a_second_of(detector: CryDetector) -> Callable[[], object]:
    """Scores one second of sound."""
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.1, (1, SAMPLE_RATE_HZ)).astype(np.float32)
    window = rng.normal(size=(1, detector.context_seconds, detector.feature_size))
    window = window.astype(np.float32)
    return lambda: (detector.features(sound, SAMPLE_RATE_HZ), detector.scores(window))


def a_second_of_yamnet(path: Path) -> Callable[[], object]:
    """Its own frame of 0.975 s, which it hears twice a second."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    sound = np.random.default_rng(0).normal(0, 0.1, YAMNET_SAMPLES).astype(np.float32)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sound[None])
    return interpreter.invoke


@click.command()
@click.option("--runs", default=20, show_default=True)
@click.option("--weights", multiple=True, type=click.Path(exists=True, path_type=Path))
@click.option("--yamnet", type=click.Path(exists=True, path_type=Path))
def main(runs: int, weights: tuple[Path, ...], yamnet: Path | None) -> None:
    """Milliseconds of one core a second of cry: the shipped embedder, and others by --weights."""
    embedders = {path: CryEmbedder(path) for path in (DEFAULT_WEIGHTS, *weights)}
    rng = np.random.default_rng(0)
    yardsticks = {"detector": a_second_of(CryDetector())}
    if yamnet is not None:
        yardsticks["YAMNet"] = a_second_of_yamnet(yamnet)
    click.echo(f"ms a second of cry, and as a multiple of {', '.join(yardsticks)} a second")
    for seconds in CRY_SECONDS:
        cry = rng.normal(0, 0.1, seconds * SAMPLE_RATE_HZ).astype(np.float32)
        calls = {"filter bank": lambda cry=cry: centred_features(cry)}
        calls |= {
            f"{embedder.version} ({path.stat().st_size / 1e6:.1f} MB)": (
                lambda cry=cry, embedder=embedder: embedder.embed(cry, SAMPLE_RATE_HZ)
            )
            for path, embedder in embedders.items()
        }
        cost = least(calls | yardsticks, runs)
        for name in calls:
            ratios = ", ".join(f"{cost[name] / seconds / cost[y]:.1f}" for y in yardsticks)
            click.echo(f"{seconds:2} s  {name:28} {cost[name] / seconds:6.2f}  {ratios}")


if __name__ == "__main__":
    main()
