"""One alert as Prometheus reads it, and what its expressions have in common."""

from dataclasses import dataclass

from streams.alerting.notices import Addresses, Text

DAY = 86_400
INFANT = "ward, bed, infant"
MONITOR = "ward, monitor"
LABELS = ("ward", "bed", "infant", "monitor", "reason", "instance", "certificate")


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert."""

    text: Text
    expression: str
    waits: int = 0
    """Seconds that it must hold."""

    def page(self, at: Addresses) -> dict[str, object]:
        """As it stands in a file."""
        fields = {label: f"{{{{ $labels.{label} }}}}" for label in LABELS}
        fields |= {
            "value": "{{ $value }}",
            "percent": "{{ $value | humanizePercentage }}",
            "duration": "{{ $value | humanizeDuration }}",
        }
        return {
            "alert": self.text.name,
            "expr": _tidy(self.expression),
            **({"for": f"{self.waits}s"} if self.waits else {}),
            "labels": self.text.labels(),
            "annotations": self.text.annotations(at, fields),
        }


def on_infant(of_monitors: str) -> str:
    """An expression by (ward, monitor), with the bed and the infant that hang on the monitor."""
    whose = f"max by ({MONITOR}, bed, infant) (vagitus_admitted_timestamp_seconds) * 0 + 1"
    return f"({of_monitors})\n  * on ({MONITOR}) group_left (bed, infant) ({whose})\n "


def _tidy(expression: str) -> str:
    lines = expression.strip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] if line[:margin].isspace() else line for line in lines).strip()
