#!/usr/bin/env python3
"""Writes Alertmanager's configuration: who is told of which ward's alerts, and how soon.

python -m deploy.alertmanager.write_routing
python -m deploy.alertmanager.write_routing --ward nicu --ward picu --url http://gateway:9095

Each ward and severity has a receiver that posts to URL/WARD/SEVERITY; what concerns the system
goes to URL/system/SEVERITY. A ward that is not named is not left out: URL/any-ward/SEVERITY.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from streams.alerting.notices import SYSTEM, Severity

CONFIGURATION = Path(__file__).resolve().parent / "alertmanager.yml"
WARDS = ("nicu",)  # as the simulated ward's
URL = "http://127.0.0.1:9095"
TOLD = (Severity.HIGH, Severity.MEDIUM, Severity.LOW)
SYSTEM_ROUTE, ANY_WARD, WATCHDOG = "system", "any-ward", "watchdog"
# Before the first notification of a group, between news of one, and before it is said again.
# What is high is told of at once. Low ones are gathered: nobody needs to run.
WAITS = {
    Severity.HIGH: ("0s", "10s", "10m"),
    Severity.MEDIUM: ("5s", "15s", "30m"),
    Severity.LOW: ("1m", "5m", "12h"),
}
# Twice within the quarter of an hour that a dead man's switch commonly waits.
WATCHDOG_REPEAT = "5m"
HEADER = """\
# Made by `python -m deploy.alertmanager.write_routing`: name your wards and your gateway there.
"""
# What hangs on a monitor now. What was heard of an infant before stays true: a monitor that
# falls silent mutes neither InfantDeviating nor InfantDrifting.
ON_A_MONITOR = (
    "InfantCryingUnattended|InfantCryingMore|InfantCryingLess|MonitorClipped|MonitorTooQuiet"
)
MONITOR_UNHEARD = "MonitorSilent|MonitorNeverHeard"
# Where nobody listens, every monitor seems silent.
NOBODY_LISTENS = "NoWorker|ScoringStalled|PipelineLagging"


def configuration(wards: Sequence[str] = WARDS, url: str = URL) -> dict[str, object]:
    """The whole configuration."""
    routes = [
        {
            "matchers": ['alertname="Watchdog"'],
            "receiver": WATCHDOG,
            "group_wait": "0s",
            "repeat_interval": WATCHDOG_REPEAT,
        },
        {"matchers": ['ward=""'], **_route(SYSTEM_ROUTE, ["alertname", "instance"])},
        *({"matchers": [f'ward="{ward}"'], **_route(ward)} for ward in wards),
        _route(ANY_WARD),
    ]
    return {
        "route": {
            "receiver": f"{ANY_WARD}-{Severity.HIGH}",
            "group_by": ["ward", "bed", "infant", "alertname"],
            "routes": [{"matchers": [f'system="{SYSTEM}"'], **_of_ours(routes)}],
        },
        "inhibit_rules": list(_inhibitions()),
        "receivers": [
            _receiver(WATCHDOG, f"{url}/{WATCHDOG}"),
            *(
                _receiver(f"{name}-{severity}", f"{url}/{name}/{severity}")
                for name in (SYSTEM_ROUTE, *wards, ANY_WARD)
                for severity in TOLD
            ),
        ],
    }


def _of_ours(routes: list[dict]) -> dict[str, object]:
    return {"receiver": f"{ANY_WARD}-{Severity.HIGH}", "routes": routes}


def _route(name: str, group_by: Sequence[str] = ()) -> dict[str, object]:
    """By severity; one that is unknown is taken for the highest."""
    branches = []
    for severity in reversed(TOLD):
        wait, interval, repeat = WAITS[severity]
        matchers = {} if severity is Severity.HIGH else {"matchers": [f'severity="{severity}"']}
        branches.append(
            {
                **matchers,
                "receiver": f"{name}-{severity}",
                "group_wait": wait,
                "group_interval": interval,
                "repeat_interval": repeat,
            }
        )
    grouped = {"group_by": list(group_by)} if group_by else {}
    return {"receiver": f"{name}-{Severity.HIGH}", **grouped, "routes": branches}


def _inhibitions() -> Iterator[dict[str, object]]:
    yield {
        "source_matchers": [f'alertname=~"{MONITOR_UNHEARD}"'],
        "target_matchers": [f'alertname=~"{ON_A_MONITOR}"'],
        "equal": ["ward", "bed", "infant"],
    }
    yield {
        "source_matchers": [f'alertname=~"{NOBODY_LISTENS}"', f'system="{SYSTEM}"'],
        "target_matchers": [f'alertname=~"{MONITOR_UNHEARD}"', f'system="{SYSTEM}"'],
    }
    yield {
        "source_matchers": ['alertname="NoWorker"', f'system="{SYSTEM}"'],
        "target_matchers": ['alertname="WorkerDown"', f'system="{SYSTEM}"'],
    }


def _receiver(name: str, url: str) -> dict[str, object]:
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": True}]}


def page(wards: Sequence[str] = WARDS, url: str = URL) -> str:
    """The configuration as it stands in a file."""
    return HEADER + yaml.safe_dump(configuration(wards, url), sort_keys=False, width=96)


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ward", action="append", help="name one; may be repeated")
    parser.add_argument("--url", default=URL, help="what notifications are posted to")
    parser.add_argument("--out", type=Path, default=CONFIGURATION)
    options = parser.parse_args()
    options.out.write_text(page(options.ward or WARDS, options.url.rstrip("/")))


if __name__ == "__main__":
    main()
