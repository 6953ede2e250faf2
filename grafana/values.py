"""How a panel writes and colours its values: Grafana's units, mappings and thresholds."""

import math
import re
from collections.abc import Mapping


def written(value: float | None, unit: str, decimals: int | None, now: float) -> str:
    """A value in one of Grafana's units, those that the dashboards use.

    Args:
        value: what to write.
        unit: Grafana's name.
        decimals: how many; None takes what three digits need.
        now: the moment that relative times count from, seconds since 1970.
    """
    if value is None or math.isnan(value):
        return "–"
    if unit == "dateTimeFromNow":
        return f"{_span(now - value / 1000)} ago"
    if unit in ("s", "m"):
        return _span(value * (60 if unit == "m" else 1))
    if unit == "percentunit":
        return f"{100 * value:.{1 if decimals is None else decimals}f}%"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    suffix = f" {unit.removeprefix('suffix:')}" if unit.startswith("suffix:") else ""
    suffix = {"cps": " c/s", "cpm": " c/m"}.get(unit, suffix)
    return f"{_digits(value, decimals)}{suffix}"


def _digits(value: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{value:.{decimals}f}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _span(seconds: float) -> str:
    if math.isinf(seconds):
        return "∞"
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= 2 * size:
            count = seconds / size
            return f"{count:.0f} {name}" if abs(count) >= 10 else f"{count:.2g} {name}"
    if abs(seconds) >= 1 or seconds == 0:
        return f"{seconds:.3g} s"
    return f"{1000 * seconds:.3g} ms"


def legend(target: Mapping, labels: Mapping[str, str]) -> str:
    """The name of a series, by the format of its query."""
    form = target.get("legendFormat", "__auto")
    if form == "__auto":
        return ", ".join(value for name, value in labels.items() if name != "__name__") or "value"
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), form)


class Looks:
    """The field options of a panel, or of some of its fields.

    Args:
        panel: as JSON gives it.
        properties: overrides that hold beside the defaults.
    """

    def __init__(self, panel: Mapping, properties: Mapping[str, object] | None = None) -> None:
        self._panel = panel
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        own = {**defaults, **(properties or {})}
        self.unit: str = own.get("unit", "none")
        self.decimals: int | None = own.get("decimals")
        self.steps: list[Mapping] = own.get("thresholds", {}).get("steps", [])
        self.custom: Mapping = defaults.get("custom", {})
        self.in_colour = "custom.cellOptions" in own
        self._missing = own.get("noValue", "–")
        self._mappings: list[Mapping] = own.get("mappings", [])
        self._fixed = own.get("color", {}).get("fixedColor", "")

    def of_query(self, ref: str) -> "Looks":
        """The options of what one query gives."""
        return self._overridden("byFrameRefID", ref)

    def of_name(self, name: str) -> "Looks":
        """The options of one field."""
        return self._overridden("byName", name)

    def fixed(self, name: str) -> str:
        """The colour that a series always has; empty if it has none."""
        return self.of_name(name)._fixed

    def _overridden(self, matcher: str, wanted: str) -> "Looks":
        overrides = self._panel.get("fieldConfig", {}).get("overrides", [])
        properties = {
            one["id"]: one["value"]
            for override in overrides
            if override["matcher"] == {"id": matcher, "options": wanted}
            for one in override["properties"]
        }
        return Looks(self._panel, properties)

    def text(self, value: float | None, now: float) -> str:
        """A value in words."""
        if value is None:
            return self._missing
        mapped = self._mapped(value)
        return mapped["text"] if mapped else written(value, self.unit, self.decimals, now)

    def colour(self, value: float | None) -> str:
        """The colour of a value, `transparent` where it has none."""
        if value is None:
            return "transparent"
        mapped = self._mapped(value)
        if mapped:
            return mapped["color"]
        colour = self._fixed or "transparent"
        for step in self.steps:
            if step["value"] is None or value >= step["value"]:
                colour = step["color"]
        return colour

    def _mapped(self, value: float) -> Mapping | None:
        for mapping in self._mappings:
            if found := mapping["options"].get(f"{value:g}"):
                return found
        return None
