"""Writes every dashboard as JSON into `grafana/dashboards/`; `--check` only compares."""

import argparse
import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana import infant, monitors, pipeline, ward
from grafana.frame import DEFAULT_RUNBOOKS

FOLDER = Path(__file__).resolve().parent / "dashboards"
BUILDERS = {
    "ward": ward.build,
    "infant": infant.build,
    "pipeline": pipeline.build,
    "monitors": monitors.build,
}


def dashboards(runbooks_url: str = DEFAULT_RUNBOOKS) -> dict[str, Dashboard]:
    """The dashboards by name.

    Args:
        runbooks_url: where `docs/runbooks` is to be read.
    """
    made = {}
    for name, build in BUILDERS.items():
        dashboard = build(runbooks_url).build()
        for number, panel in enumerate(dashboard.panels or [], start=1):
            panel.id_val = number  # what links to a panel go by
        made[name] = dashboard
    return made


def texts(runbooks_url: str = DEFAULT_RUNBOOKS) -> dict[str, str]:
    """What each file has to hold, by its name."""
    return {
        f"{name}.json": json.dumps(dashboard, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"
        for name, dashboard in dashboards(runbooks_url).items()
    }


def stale(folder: Path = FOLDER) -> list[str]:
    """Files that are missing, older than the code that makes them, or made by none of it."""
    made = texts()
    found = {path.name: path.read_text() for path in folder.glob("*.json")}
    return sorted(name for name in made | found if made.get(name) != found.get(name))


def main() -> None:
    """Write, or with `--check` say which files are out of date and leave with status 1."""
    parser = argparse.ArgumentParser(prog="python -m grafana.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument(
        "--runbooks", metavar="URL", default=DEFAULT_RUNBOOKS, help="where docs/runbooks is read"
    )
    options = parser.parse_args()
    if options.check:
        for name in (old := stale()):
            print(f"{name} is out of date: run `python -m grafana.build`", file=sys.stderr)
        sys.exit(bool(old))
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in texts(options.runbooks).items():
        (options.out / name).write_text(text)


if __name__ == "__main__":
    main()
