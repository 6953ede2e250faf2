"""Alertmanager's configuration: who is told of what; and what mutes what, on a real one."""

import subprocess

import pytest

from deploy.alertmanager.write_routing import CONFIGURATION, page
from tests.deploy.test_rules import alerts


@pytest.fixture
def receivers(amtool, tmp_path):
    """Who is told of an alert with these labels, in a hospital of two wards."""
    file = tmp_path / "alertmanager.yml"
    file.write_text(page(["nicu", "picu"], "http://gateway:9095"))

    def ask(**labels: str) -> list[str]:
        line = [amtool, "config", "routes", "test", f"--config.file={file}"]
        line += [f"{name}={value}" for name, value in labels.items()]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        return done.stdout.strip().split(",")

    return ask


def test_the_committed_configuration_is_the_one_that_is_made():
    assert CONFIGURATION.read_text() == page(), "run: python -m deploy.alertmanager.write_routing"


def test_amtool_accepts_it(amtool):
    subprocess.run([amtool, "check-config", str(CONFIGURATION)], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"ward": "nicu", "severity": "high"}, "nicu-high"),
        ({"ward": "nicu", "severity": "medium"}, "nicu-medium"),
        ({"ward": "picu", "severity": "low"}, "picu-low"),
        ({"severity": "high", "alertname": "NoWorker"}, "system-high"),
        ({"severity": "low", "alertname": "TimelineStalled"}, "system-low"),
        ({"severity": "none", "alertname": "Watchdog"}, "watchdog"),
        # What nobody has thought of reaches somebody.
        ({"ward": "new", "severity": "medium"}, "any-ward-medium"),
        ({"ward": "nicu", "severity": "purple"}, "nicu-high"),
    ],
)
def test_each_ward_and_severity_has_its_receiver(receivers, labels, told):
    assert receivers(system="vagitus", **labels) == [told]


def test_what_is_of_another_system_is_not_lost_where_this_is_the_only_configuration(receivers):
    assert receivers(alertname="DiskFull") == ["any-ward-high"]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_each_alert_of_the_rules_reaches_the_receiver_of_its_priority(receivers, alert):
    labels = {"alertname": alert["alert"], **alert["labels"]}
    of_ward = "by (ward" in alert["expr"]
    severity = labels["severity"]
    told = f"{'nicu' if of_ward else 'system'}-{severity}" if severity != "none" else "watchdog"
    assert receivers(**labels, **({"ward": "nicu"} if of_ward else {})) == [told]
