"""What an alert says, whichever way it takes to Alertmanager.

An infant that deviates is told of twice: by the worker at once, and by Prometheus' rule, the
backstop. Alertmanager takes both for one alert because their labels are the same; here they are
made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# Alertmanagers are shared: says whose alerts these are.
SYSTEM = "vagitus"
# Where in Grafana an alert is looked into, by how its name begins: `grafana/dashboards`.
DASHBOARDS = {
    "Infant": "/d/vagitus-infant?var-ward={ward}&var-infant={infant}",
    "Baseline": "/d/vagitus-infant?var-ward={ward}&var-infant={infant}",
    "Monitor": "/d/vagitus-monitors?var-ward={ward}&var-monitor={monitor}",
    "": "/d/vagitus-pipeline",
}
DEVIATING = "InfantDeviating"
DRIFTING = "InfantDrifting"


class Severity(StrEnum):
    """Priorities of IEC 60601-1-8, shown as red, yellow and cyan."""

    HIGH = "high"
    """Act at once."""
    MEDIUM = "medium"
    """Act promptly."""
    LOW = "low"
    """Be aware."""
    NONE = "none"
    """Nobody is told; it says that alerts get through."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where whoever reads an alert reads on: its runbook, and its dashboard in Grafana."""

    runbooks: str = "docs/runbooks"
    grafana: str = ""
    """Without it the link to a dashboard is a path."""


@dataclass(frozen=True, slots=True)
class Text:
    """An alert's fixed part; `{ward}` and other names of labels, and `{value}`, are filled in."""

    name: str
    severity: Severity
    summary: str
    description: str

    def labels(self) -> dict[str, str]:
        """The labels that do not depend on whom it is about."""
        return {"severity": self.severity.value, "system": SYSTEM}

    def annotations(self, at: Addresses, fields: Mapping[str, object]) -> dict[str, str]:
        """Summary, description, runbook and dashboard; `fields` fill the placeholders."""
        dashboard = next(path for how, path in DASHBOARDS.items() if self.name.startswith(how))
        return {
            "summary": self.summary.format_map(fields),
            "description": self.description.format_map(fields),
            "runbook_url": f"{at.runbooks.rstrip('/')}/{self.name}.md",
            "dashboard": at.grafana.rstrip("/") + dashboard.format_map(fields),
        }


TEXTS = {
    text.name: text
    for text in (
        Text(
            DEVIATING,
            Severity.HIGH,
            "Infant {infant} cries unlike itself (ward {ward}, bed {bed})",
            "{value} cries of infant {infant} were far from its own baseline, with one usual cry "
            "between them at most. See the infant first, then its timeline.",
        ),
        Text(
            DRIFTING,
            Severity.MEDIUM,
            "The cries of infant {infant} have moved away (ward {ward}, bed {bed})",
            "Little by little the cries of infant {infant} have left what they were like at its "
            "admission, and have stayed away for {value} cries.",
        ),
    )
}
