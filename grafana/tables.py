"""The tables: one of many queries with a row for each set of labels, and one of the timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common, dashboard, prometheus, table
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    ValueMapping,
)
from grafana_foundation_sdk.models.dashboard import Threshold as Step
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.parts import PROMETHEUS, WIDTH, Query, Sql, asking, looking, thresholds


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table over several queries, all by the same labels."""

    header: str
    expr: str
    unit: str = "none"
    decimals: int | None = None
    words: Sequence[ValueMapping] = ()
    steps: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its columns, and how it is read."""

    columns: Sequence[Column]
    labels: Mapping[str, str]  # label to header
    without: Sequence[str] = ()  # labels that are not shown
    first: Sequence[tuple[str, bool]] = ()  # header, whether descending
    links: Mapping[str, Sequence[dashboard.DashboardLink]] = field(default_factory=dict)


def sheet(
    title: str, says: str, sheet: Sheet, *, span: int = WIDTH, height: int = 9
) -> table.Panel:
    """A row for each set of labels, a column for each query."""
    asked = [Query(column.expr) for column in sheet.columns]
    panel = looking(table.Panel(), title, says, span, height).datasource(PROMETHEUS)
    for letter, query in zip(ascii_uppercase, asked, strict=False):
        target = prometheus.Dataquery().ref_id(letter).expr(query.expr).instant()
        panel.with_target(target.format(PromQueryFormat.TABLE))
    headers = [column.header for column in sheet.columns]
    one = len(headers) == 1
    names = {
        ("Value" if one else f"Value #{letter}"): header
        for letter, header in zip(ascii_uppercase, headers, strict=False)
    }
    order = [*sheet.labels, *names]
    organize = {
        "excludeByName": dict.fromkeys(("Time", *sheet.without), True),
        "indexByName": {name: index for index, name in enumerate(order)},
        "renameByName": names | dict(sheet.labels),
    }
    if not one:
        panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(DataTransformerConfig(id_val="organize", options=organize))
    panel.sort_by(
        [common.TableSortByFieldState().display_name(name).desc(desc) for name, desc in sheet.first]
    )
    for column in sheet.columns:
        panel.override_by_name(column.header, _column_looks(column))
    for header, links in sheet.links.items():
        built = [link.build() for link in links]
        panel.override_by_name(header, [DynamicConfigValue("links", built)])
    return panel


def _column_looks(column: Column) -> list[DynamicConfigValue]:
    looks = [DynamicConfigValue("unit", column.unit)]
    if column.decimals is not None:
        looks.append(DynamicConfigValue("decimals", column.decimals))
    if column.words:
        looks.append(DynamicConfigValue("mappings", list(column.words)))
    if column.steps:
        looks.append(DynamicConfigValue("thresholds", thresholds(column.steps).build()))
    if column.words or column.steps:
        looks.append(DynamicConfigValue("custom.cellOptions", {"type": "color-background"}))
    return looks


def rows(title: str, says: str, query: Sql, *, span: int = WIDTH, height: int = 8) -> table.Panel:
    """A table as the timeline gives it."""
    return looking(asking(table.Panel(), [query]), title, says, span, height)
