"""What an alert says, and where it leads."""

from streams.alerting.notices import DRIFTING, TEXTS, Addresses

FIELDS = {"ward": "nicu", "bed": "cot-1", "infant": "infant-1", "value": 12}


def links(at: Addresses) -> tuple[str, str]:
    said = TEXTS[DRIFTING].annotations(at, FIELDS)
    return said["runbook_url"], said["dashboard"]


def test_an_alert_leads_to_its_runbook_and_its_dashboard_where_they_are_read():
    assert links(Addresses("https://wiki.example/vagitus/", "https://grafana.example/")) == (
        "https://wiki.example/vagitus/InfantDrifting.md",
        "https://grafana.example/d/vagitus-infant?var-ward=nicu&var-infant=infant-1",
    )


def test_without_an_address_of_grafana_the_dashboard_is_a_path():
    assert links(Addresses())[1] == "/d/vagitus-infant?var-ward=nicu&var-infant=infant-1"
