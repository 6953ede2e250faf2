"""A worker that writes down, once a second, where its CPU time has gone.

    python -m bench.stages FILE PORT

Each thread has a clock of its own; within a thread that does several things, each call is timed.
"""

import contextlib
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mode.threads import WorkerThread

from models.detector.runtime import CryDetector
from streams.agents import score
from streams.settings import Settings
from streams.worker import run_worker

FETCH = "fetch"
MAIN = "events, sends, offsets, baselines, alerts"
SCORING = "scoring, the rest"
SPLIT = ("decode", "detector: features", "detector: scores")
# By how a thread's name begins.
THREADS = {
    "MainThread": MAIN,
    "score": SCORING,
    "embed": "embedder",
    "asyncio": "timeline",
}
OTHER = "metrics page and other threads"

spent = dict.fromkeys(SPLIT, 0.0)


def timed(owner: Any, name: str, stage: str) -> None:
    """Let every call of a function count for a stage: CPU seconds of its thread."""
    call: Callable = getattr(owner, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        try:
            return call(*args, **kwargs)
        finally:
            spent[stage] += time.thread_time() - began

    setattr(owner, name, counted)


def stages() -> dict[str, float]:
    """CPU seconds so far, by stage."""
    found: dict[str, float] = defaultdict(float)
    for thread in threading.enumerate():
        stage = FETCH if isinstance(thread, WorkerThread) else OTHER
        for beginning, of_name in THREADS.items():
            stage = of_name if thread.name.startswith(beginning) else stage
        with contextlib.suppress(OSError):  # it has just ended
            found[stage] += time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    found[OTHER] += time.process_time() - sum(found.values())  # threads that are not Python's
    found[SCORING] -= sum(spent.values())
    return dict(found) | dict(spent)


def write(path: Path) -> None:
    """Write the stages down again and again; the file is always whole."""
    while True:
        new = path.with_suffix(".new")
        new.write_text(json.dumps(stages()))
        new.replace(path)
        time.sleep(1)


def main() -> None:
    """Run a worker with the settings of the environment."""
    timed(score, "decode_arrivals", SPLIT[0])
    timed(CryDetector, "features", SPLIT[1])
    timed(CryDetector, "scores", SPLIT[2])
    threading.Thread(target=write, args=[Path(sys.argv[1])], daemon=True).start()
    run_worker(Settings.read(metrics_port=int(sys.argv[2])), "WARNING")


if __name__ == "__main__":
    main()
