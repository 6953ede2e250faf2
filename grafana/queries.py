"""What the dashboards ask, with Grafana's variables filled in as Grafana does it.

For whoever has Prometheus or the timeline and no Grafana: the tests, and the pictures.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::(\w+))?\}|(\w+))")
# Grafana's panels are about so many points wide, and it asks for no finer steps than that.
POINTS = 600


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of one panel, or of one annotation.

    Attributes:
        dashboard: its uid.
        title: of the panel, or the name of the annotation.
        ref: the query's letter.
        text: PromQL or SQL, with variables.
        source: `prometheus` or `timeline`.
        instant: whether only the present is asked for.
        least_step: seconds, of a panel that wants no finer ones; 0 otherwise.
        last: seconds, of a panel that always shows the last so many; 0 otherwise.
        annotation: whether it marks moments instead of filling a panel.
        repeat: variable by which the panel is repeated; empty if it is not.
    """

    dashboard: str
    title: str
    ref: str
    text: str
    source: str
    instant: bool
    least_step: float = 0.0
    last: float = 0.0
    annotation: bool = False
    repeat: str = ""


def of_panel(page: Mapping, panel: Mapping) -> Iterator[Asked]:
    """The queries of one panel of a dashboard, as JSON gives them."""
    for target in panel.get("targets", ()):
        yield Asked(
            page["uid"],
            panel["title"],
            target["refId"],
            target.get("expr") or target["rawSql"],
            "prometheus" if "expr" in target else "timeline",
            bool(target.get("instant")),
            least_step=_seconds(panel.get("interval", "0s")),
            last=_seconds(panel.get("timeFrom", "0s")),
            repeat=panel.get("repeat", ""),
        )


def asked(page: Mapping) -> Iterator[Asked]:
    """Every query of a dashboard (as JSON gives it), of panels and annotations."""
    for panel in page["panels"]:
        yield from of_panel(page, panel)
    for annotation in page["annotations"]["list"]:
        text = annotation.get("expr") or annotation["target"]["rawSql"]
        source = "prometheus" if "expr" in annotation else "timeline"
        yield Asked(
            page["uid"], annotation["name"], "Anno", text, source, instant=False, annotation=True
        )


def read(folder: Path) -> list[dict]:
    """The dashboards of a folder."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


@dataclass(frozen=True, slots=True)
class View:
    """What a reader has in sight.

    Attributes:
        begin, end: seconds since 1970.
        variables: their values; several ones as a sequence.
        scrape: seconds between two scrapes, as the data source has it set.
        zone: the reader's time zone.
    """

    begin: float
    end: float
    variables: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    scrape: float = 5.0
    zone: str = "utc"

    def begin_of(self, query: Asked) -> float:
        """Where the panel of a query begins."""
        return self.end - query.last if query.last else self.begin

    def step(self, query: Asked) -> float:
        """`$__interval`: seconds between two points."""
        seconds = math.ceil((self.end - self.begin_of(query)) / POINTS)
        return max(self.scrape, query.least_step, seconds)

    def fill(self, query: Asked) -> str:
        """The query as it is sent.

        Raises:
            KeyError: it has a variable that the dashboard does not.
        """
        step = self.step(query)
        known: dict[str, str | Sequence[str]] = {
            **self.variables,
            "__interval": f"{step:g}s",
            # So that a rate always sees four scrapes, as Grafana's documentation has it.
            "__rate_interval": f"{max(step + self.scrape, 4 * self.scrape):g}s",
            "__timezone": self.zone,
        }
        text = query.text
        if query.source == "timeline":
            for macro, at in (("From", self.begin_of(query)), ("To", self.end)):
                text = text.replace(f"$__unixEpoch{macro}()", f"{at:.0f}")

        def value(match: re.Match[str]) -> str:
            braced, form, plain = match.groups()
            return _written(known[braced or plain], form, query.source)

        return _VARIABLE.sub(value, text)


def _written(value: str | Sequence[str], form: str | None, source: str) -> str:
    if form == "sqlstring":
        return ",".join("'" + one.replace("'", "''") + "'" for one in _several(value))
    if source == "timeline":
        return value if isinstance(value, str) else ",".join(value)
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace('"', '\\"')
    # Several are an alternative of regular expressions, inside a string.
    parts = [re.sub(r"([\\^$.*+?()[\]{}|])", r"\\\\\1", one) for one in value]
    return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"


def _several(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _seconds(interval: str) -> float:
    return float(interval[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[interval[-1]]
