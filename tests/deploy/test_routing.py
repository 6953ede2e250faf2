"""Alertmanager's configuration: who is told of what; and what mutes what, on a real one."""

import json
import subprocess
import time
from urllib.request import Request, urlopen

import pytest

from deploy.alertmanager.write_routing import CONFIGURATION, page
from tests.deploy.servers import Servers
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


def muted(servers: Servers, *posted: tuple[str, str]) -> set[tuple[str, str]]:
    """Which of these alerts (name, infant) nobody is told of."""
    bodies = [
        {
            "labels": {
                "alertname": name,
                "system": "vagitus",
                "severity": "medium",
                **({"ward": "nicu", "bed": f"cot-{infant}", "infant": infant} if infant else {}),
            }
        }
        for name, infant in posted
    ]
    url = f"{servers.urls['alertmanager']}/api/v2/alerts"
    data = json.dumps(bodies).encode()
    with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=10):
        pass
    # What mutes is known when the groups are looked at: medium ones after 5 s.
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        held = {key: alert["status"]["state"] for key, alert in servers.alerts().items()}
        if all(held.get(key, "unprocessed") != "unprocessed" for key in posted):
            return {key for key in posted if held[key] == "suppressed"}
        time.sleep(0.2)
    raise AssertionError(f"not processed: {held}")


def test_a_silent_monitor_mutes_what_hangs_on_it_and_no_clinical_alert_nor_other_infants(
    alertmanager,
):
    muted(alertmanager, ("MonitorSilent", "a"))
    found = muted(
        alertmanager,
        ("InfantCryingUnattended", "a"), ("InfantCryingLess", "a"), ("MonitorTooQuiet", "a"),
        ("InfantDeviating", "a"), ("InfantDrifting", "a"), ("InfantCryingUnattended", "b"),
    )  # fmt: skip
    assert found == {
        ("InfantCryingUnattended", "a"), ("InfantCryingLess", "a"), ("MonitorTooQuiet", "a"),
    }  # fmt: skip


def test_where_nobody_listens_silent_monitors_and_single_workers_are_muted(alertmanager):
    muted(alertmanager, ("NoWorker", ""))
    found = muted(
        alertmanager, ("MonitorSilent", "c"), ("MonitorNeverHeard", "d"), ("WorkerDown", ""),
        ("InfantDeviating", "c"), ("AlertsNotDelivered", ""),
    )  # fmt: skip
    assert found == {("MonitorSilent", "c"), ("MonitorNeverHeard", "d"), ("WorkerDown", "")}
