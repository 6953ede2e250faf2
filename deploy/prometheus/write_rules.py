#!/usr/bin/env python3
"""Writes Prometheus' rules from the thresholds in `streams/alerting/thresholds.py`.

python -m deploy.prometheus.write_rules                      into deploy/prometheus/rules
python -m deploy.prometheus.write_rules --runbooks https://wiki.example/vagitus --out FOLDER
python -m deploy.prometheus.write_rules --set silent_after=10

Every expression drops `instance` and `job` where an infant or a monitor is meant: whichever worker
says it, it is one alert, and the same as the one that the worker posts itself.
"""

import argparse
from dataclasses import fields, replace
from pathlib import Path

import yaml

from deploy.prometheus.alerts import HERE, groups
from streams.alerting.notices import Addresses
from streams.alerting.thresholds import THRESHOLDS, Thresholds

RULES = Path(__file__).resolve().parent / "rules"
HEADER = """\
# Made by `python -m deploy.prometheus.write_rules` from streams/alerting/thresholds.py: change
# thresholds there and expressions in deploy/prometheus/alerts, then write this file anew.
"""


class _Dumper(yaml.SafeDumper):
    """Writes expressions as blocks, as people write them."""


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def pages(thresholds: Thresholds = THRESHOLDS, at: Addresses = HERE) -> dict[str, str]:
    """The rule files, by name."""
    found = {}
    for group in groups(thresholds, at):
        page = yaml.dump({"groups": [group]}, Dumper=_Dumper, sort_keys=False, width=96)
        found[f"{group['name'].removeprefix('vagitus-')}.yaml"] = HEADER + page
    return found


def _changed(assignments: list[str]) -> Thresholds:
    kinds = {field.name: type(getattr(THRESHOLDS, field.name)) for field in fields(Thresholds)}
    changes = {}
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        if name not in kinds:
            raise SystemExit(f"write_rules: there is no threshold {name!r}.")
        changes[name] = kinds[name](value)
    return replace(THRESHOLDS, **changes)


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=RULES)
    parser.add_argument(
        "--runbooks", metavar="URL", default=HERE.runbooks, help="where docs/runbooks is to be read"
    )
    parser.add_argument("--grafana", metavar="URL", default="", help="where dashboards are read")
    parser.add_argument("--set", action="append", default=[], metavar="THRESHOLD=VALUE")
    options = parser.parse_args()
    at = Addresses(options.runbooks, options.grafana)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, page in pages(_changed(options.set), at).items():
        (options.out / name).write_text(page)


if __name__ == "__main__":
    main()
