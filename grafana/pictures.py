"""Draws every dashboard from a real run into `docs/dashboards/`.

python -m grafana.pictures                 a simulated ward of 25 minutes, in real time
python -m grafana.pictures --minutes 5     a shorter one: baselines may still be learning

It starts an embedded broker, a worker, Prometheus and PostgreSQL. Before the ward is played,
`vagitus replay` puts three weeks of the infant that will drift on the timeline: a simulation in
real time has no weeks.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import soundfile

from grafana import ask, build
from grafana.drawing import draw
from grafana.queries import Asked, View, read
from grafana.trial import COTS, Trial, trial
from models.synthesis.cry import cry
from models.synthesis.infant import drifted
from models.synthesis.ward import DRIFT_TRAITS, SAMPLE_RATE_HZ, SimulatedWard

FOLDER = Path(__file__).resolve().parent.parent
OUT = FOLDER / "docs" / "dashboards"
POSTGRES = FOLDER / "deploy" / "postgres" / "postgres"
DAYS, CRIES_A_DAY, CRY_SECONDS = 21, 8, 5.0
# The voice begins to move after two weeks, by half a standard deviation a day.
DRIFT_AFTER_DAYS, DRIFT_A_DAY = 14, 0.5


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own; gives its URL."""
    # Not below a folder that only we may enter: root's server runs as another user.
    data = tempfile.mkdtemp(prefix="vagitus-pictures-")
    line = [sys.executable, str(POSTGRES), "start", "--data", data]
    started = subprocess.run(line, capture_output=True, text=True)
    if started.returncode:
        sys.exit(started.stderr.strip())
    try:
        yield started.stdout.strip()
    finally:
        subprocess.run([*line[:2], "stop", "--data", data], capture_output=True)
        shutil.rmtree(data, ignore_errors=True)


def replay_weeks(folder: Path, ward: SimulatedWard, url: str) -> None:
    """Put weeks of an infant's cries on the timeline, ending yesterday."""
    (infant,) = (one for one in ward.infants if one.name == ward.drifting_infant)
    rng = np.random.default_rng([ward.seed, 7])
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = ["path,infant,recorded_at"]
    for number in range(DAYS * CRIES_A_DAY):
        day = number // CRIES_A_DAY
        moved = DRIFT_A_DAY * max(0, day - DRIFT_AFTER_DAYS)
        now = drifted(infant, moved, DRIFT_TRAITS) if moved else infant
        heard = cry(now, CRY_SECONDS, rng, SAMPLE_RATE_HZ).waveform
        silence = np.zeros(3 * SAMPLE_RATE_HZ, dtype=np.float32)
        path = folder / f"cry-{number:03}.flac"
        sound = np.concatenate([silence, heard, silence])
        soundfile.write(path, 0.3 * sound + 1e-3 * rng.standard_normal(sound.size), SAMPLE_RATE_HZ)
        at = today - timedelta(days=DAYS - day) + timedelta(hours=24 * rng.beta(2.5, 2))
        lines.append(f"{path.name},{infant.name},{at.isoformat()}")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(lines) + "\n")
    vagitus = [sys.executable, "-c", "from streams.cli import main; main()"]
    replay = [*vagitus, "replay", str(manifest), "--timeline", url, "--quiet"]
    subprocess.run(replay, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Parse the command line, play, and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with postgres() as url, tempfile.TemporaryDirectory(prefix="vagitus-pictures-") as temporary:
        folder = Path(temporary)
        os.environ["VAGITUS_TIMELINE_URL"] = url
        replay_weeks(folder, SimulatedWard(COTS, drift_at_seconds=0), url)
        with trial(folder, round(60 * options.minutes), speed=1.0) as played:
            draw_all(played, url, options.out)


def draw_all(played: Trial, url: str, out: Path) -> None:
    """Draw each dashboard from what Prometheus and the timeline answer."""

    def answer(query: Asked, view: View) -> list[ask.Series] | ask.Rows:
        if query.source == "prometheus":
            return ask.prometheus(played.prometheus, query, view)
        return ask.timeline(url, query, view)

    def values(label: str) -> list[str]:
        found = ask.labels(played.prometheus, label, "vagitus_admitted_timestamp_seconds")
        return sorted(found, key=lambda name: int(name.rpartition("-")[2]))

    variables = {"ward": "nicu", "infant": played.drifting, "monitor": values("monitor")}
    view = View(played.begin, played.end, variables)
    for page in read(build.FOLDER):
        path = out / f"{page['uid'].removeprefix('vagitus-')}.png"
        draw(page, answer, view, values("bed"), path)
        print(f"{time.strftime('%H:%M:%S')} {path}")


if __name__ == "__main__":
    main()
