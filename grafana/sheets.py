"""The cells of a table panel, as Grafana's transformations would leave them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from grafana.ask import Rows, Series
from grafana.queries import View
from grafana.values import Looks, written


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell, and the colour of its ground; empty without one."""

    text: str
    colour: str = ""


def cells(
    panel: Mapping, looks: Looks, answers: Sequence[list[Series] | Rows], view: View
) -> list[list[Cell]]:
    """Rows of cells, the headings first."""
    if isinstance(answers[0], Rows):
        return _plain(answers[0])
    (organize,) = (one["options"] for one in panel["transformations"] if one["id"] == "organize")
    order = sorted(organize["indexByName"], key=organize["indexByName"].get)
    headings = [organize["renameByName"][name] for name in order]
    merged = _merged(panel["targets"], answers)
    for sort in reversed(panel["options"].get("sortBy", [])):
        name = order[headings.index(sort["displayName"])]
        known = [row for row in merged if name in row]
        unknown = [row for row in merged if name not in row]
        merged = sorted(known, key=lambda row: row[name], reverse=bool(sort["desc"])) + unknown
    table = [[Cell(heading) for heading in headings]]
    for row in merged:
        line = []
        for name, heading in zip(order, headings, strict=True):
            value, own = row.get(name), looks.of_name(heading)
            if isinstance(value, float):
                colour = own.colour(value) if own.in_colour else ""
                line.append(Cell(own.text(value, view.end), colour))
            else:
                line.append(Cell(value or ""))
        table.append(line)
    return table


def _merged(targets: Sequence[Mapping], answers: Sequence[list[Series]]) -> list[dict]:
    """One row for each set of the labels that all queries have in common."""
    rows: dict[tuple, dict[str, object]] = {}
    labels = [{*one.labels} for series in answers for one in series]
    shared = set.intersection(*labels) if labels else set()
    for target, series in zip(targets, answers, strict=True):
        name = "Value" if len(targets) == 1 else f"Value #{target['refId']}"
        for one in series:
            # By itself a query has only rows of its own.
            by = one.labels if len(targets) == 1 else {label: one.labels[label] for label in shared}
            row = rows.setdefault(tuple(sorted(by.items())), {})
            row.update({**one.labels, name: one.points[-1][1]})
    return list(rows.values())


def _plain(answer: Rows) -> list[list[Cell]]:
    def words(value: object) -> str:
        if isinstance(value, datetime):
            return f"{value:%d %b %H:%M:%S}"
        return written(value, "none", None, 0) if isinstance(value, float) else str(value or "")

    return [[Cell(name) for name in answer.columns]] + [
        [Cell(words(value)) for value in row] for row in answer.rows
    ]
