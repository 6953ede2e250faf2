"""Plays the simulated ward, in real time, to the broker that VAGITUS_BROKER names.

python ward.py --monitors 8
"""

import argparse
import asyncio
import sys
import time

from models.synthesis.ward import SimulatedWard
from streams.errors import VagitusError
from streams.play import Publisher, play
from streams.records.admission import Admission
from streams.settings import Settings
from streams.sources.ward import WardSource

# An infant begins to drift after an hour, when its baseline has long been learned.
DRIFT_AT_SECONDS = 3600.0


async def run(monitors: int, seed: int, seconds: int | None) -> int:
    """Admit the infants and play; returns how many seconds were sent. Raises VagitusError."""
    now_ms = int(time.time() * 1000)
    ward = SimulatedWard(monitors, seed=seed, drift_at_seconds=DRIFT_AT_SECONDS)
    async with Publisher(Settings.read()) as publisher:
        for cot in ward.cots:
            await publisher.admit(Admission(cot.monitor, cot.infant, cot.ward, cot.bed, now_ms))
        played = await play(WardSource(ward, now_ms, seconds), publisher)
    return played.total


def main() -> None:
    """Parse the command line and play."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--monitors", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0, help="another seed, another ward")
    parser.add_argument("--seconds", type=int, help="end after so many; otherwise never")
    options = parser.parse_args()
    try:
        print(asyncio.run(run(options.monitors, options.seed, options.seconds)), "seconds sent")
    except VagitusError as error:
        sys.exit(f"ward: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
