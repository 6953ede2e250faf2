#!/usr/bin/env python3
"""Writes Prometheus' configuration for compose: deploy/prometheus' own, with names for addresses.

python -m deploy.compose.write_prometheus

Workers are found by DNS, so that each replica of the service is scraped, however many there are.
"""

from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent / "prometheus" / "prometheus.yml"
CONFIGURATION = HERE / "prometheus.yml"
WORKER, WORKER_PORT = "worker", 9464
ALERTMANAGER = "alertmanager:9093"
REFRESH = "5s"
HEADER = """\
# Made by `python -m deploy.compose.write_prometheus` from deploy/prometheus/prometheus.yml.
"""


def page() -> str:
    """The configuration as it stands in the file."""
    configuration = yaml.safe_load(SOURCE.read_text())
    configuration["alerting"] = {
        "alertmanagers": [{"static_configs": [{"targets": [ALERTMANAGER]}]}]
    }
    (job,) = configuration["scrape_configs"]
    del job["file_sd_configs"]
    replicas = {"names": [WORKER], "type": "A", "port": WORKER_PORT, "refresh_interval": REFRESH}
    job["dns_sd_configs"] = [replicas]
    return HEADER + yaml.safe_dump(configuration, sort_keys=False)


if __name__ == "__main__":
    CONFIGURATION.write_text(page())
