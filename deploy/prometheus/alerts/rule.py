"""One alert as Prometheus reads it, and what its expressions have in common."""

from dataclasses import dataclass

from streams.alerting.notices import Addresses, Text
from streams.alerting.thresholds import Thresholds
from streams.metrics.shown import Share

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


def held(series: str, by: str, share: Share, at: Thresholds) -> str:
    """A gauge from the worker that owns it; while it is handed over, as it was shown before.

    Then no worker shows it, and an alert would end and begin again. What leaves while everything
    of its share is owned was discharged, and nothing of before counts.
    """
    before = f"max by ({by}) (last_over_time({series}[{at.hand_over}s]))"
    # A little less than 1: these are sums of fractions.
    owned = f'sum(vagitus_owned_ratio{{share="{share}"}}) > 0.999'
    return f"(max by ({by}) ({series}) or ({before} unless on () {owned}))"


def on_infant(of_monitors: str, at: Thresholds) -> str:
    """An expression by (ward, monitor), with the bed and the infant that hang on the monitor."""
    admitted = "vagitus_admitted_timestamp_seconds"
    whose = held(admitted, f"{MONITOR}, bed, infant", Share.SOUND, at)
    # Of two, as when somebody is transferred and then handed over, the last one.
    one = f"topk by ({MONITOR}) (1, {whose}) * 0 + 1"
    return f"({of_monitors})\n  * on ({MONITOR}) group_left (bed, infant) ({one})\n "


def _tidy(expression: str) -> str:
    lines = expression.strip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] if line[:margin].isspace() else line for line in lines).strip()
