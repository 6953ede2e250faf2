"""Asks Prometheus and the timeline what the dashboards ask them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from grafana.queries import Asked, View

ANSWER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Series:
    """One line of an answer: labels, and (seconds since 1970, value) in time order."""

    labels: Mapping[str, str]
    points: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of an answer."""

    columns: list[str]
    rows: list[tuple]

    def over_time(self) -> list[tuple[str, list[tuple[float, float]]]]:
        """The series of a table with a column `time`: a name and its points, in time order.

        One for each column of numbers, or, where there is a column `metric`, for each of its names.
        """
        times = [row[self.columns.index("time")].timestamp() for row in self.rows]
        numbers = [at for at, name in enumerate(self.columns) if name not in ("time", "metric")]
        found: dict[str, list[tuple[float, float]]] = {}
        for when, row in zip(times, self.rows, strict=True):
            for at in numbers:
                name = self.columns[at]
                if "metric" in self.columns:
                    name = row[self.columns.index("metric")]
                if row[at] is not None:
                    found.setdefault(name, []).append((when, float(row[at])))
        return list(found.items())


class AnswerError(Exception):
    """A query was refused; says which and why."""


def prometheus(url: str, query: Asked, view: View) -> list[Series]:
    """What Prometheus answers: over the time in sight, or at its end if only now is asked for.

    Raises:
        AnswerError: it refuses the query.
    """
    text = view.fill(query)
    if query.instant:
        path, when = "query", {"time": view.end}
    else:
        step = view.step(query)
        # Grafana begins on a whole step, so that the points stay where they are.
        when = {"start": view.begin_of(query) // step * step, "end": view.end, "step": step}
        path = "query_range"
    body = urlencode({"query": text, **when}).encode()
    try:
        with urlopen(f"{url}/api/v1/{path}", data=body, timeout=ANSWER_SECONDS) as answer:
            found = json.load(answer)["data"]["result"]
    except HTTPError as error:
        why = json.load(error).get("error", error.reason)
        raise AnswerError(f"{query.title} ({query.ref}): {why}: {text}") from None
    return [
        Series(
            one["metric"],
            [(at, float(value)) for at, value in one.get("values", [one.get("value")])],
        )
        for one in found
    ]


def labels(url: str, name: str, series: str) -> list[str]:
    """The values of a label of the series, as Grafana's `label_values(series, name)`."""
    query = urlencode({"match[]": series})
    with urlopen(f"{url}/api/v1/label/{name}/values?{query}", timeout=ANSWER_SECONDS) as answer:
        return json.load(answer)["data"]


def timeline(url: str, query: Asked, view: View) -> Rows:
    """What PostgreSQL answers.

    Raises:
        AnswerError: it refuses the query.
    """
    import psycopg

    text = view.fill(query)
    try:
        with psycopg.connect(url) as connection:
            cursor = connection.execute(text)
            return Rows([column.name for column in cursor.description or ()], cursor.fetchall())
    except psycopg.Error as error:
        raise AnswerError(f"{query.title} ({query.ref}): {error}: {text}") from None
