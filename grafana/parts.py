"""The kinds of panels, each one function: what it asks, and how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import ascii_uppercase

from grafana_foundation_sdk.builders import (
    barchart,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LineInterpolation,
    StackingMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    ThresholdsMode,
    ValueMapping,
)
from grafana_foundation_sdk.models.dashboard import Threshold as Step
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.style import LINE, steps

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${prometheus}")
POSTGRES_TYPE = "grafana-postgresql-datasource"
TIMELINE = DataSourceRef(type_val=POSTGRES_TYPE, uid="${timeline}")
WIDTH = 24  # columns of Grafana's grid


@dataclass(frozen=True, slots=True)
class Query:
    """What a panel asks Prometheus, and how the answer is called."""

    expr: str
    legend: str = "__auto"


@dataclass(frozen=True, slots=True)
class Sql(Dataquery):
    """What a panel asks the timeline; the SDK has no class for PostgreSQL.

    Attributes:
        text: the statement; a series needs a column `time`.
        series: whether it is drawn over time.
        ref: its letter.
    """

    text: str
    series: bool = True
    ref: str = "A"

    def to_json(self) -> dict[str, object]:
        """As Grafana keeps it."""
        return {
            "datasource": TIMELINE,
            "editorMode": "code",
            "format": "time_series" if self.series else "table",
            "rawQuery": True,
            "rawSql": self.text,
            "refId": self.ref,
        }

    def build(self) -> "Sql":
        """Itself: the SDK asks each query so."""
        return self


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table over several queries, all by the same labels."""

    header: str
    expr: str
    unit: str = "none"
    decimals: int | None = None
    words: Sequence[ValueMapping] = ()
    steps: Sequence[Step] = ()


def _ask(panel, queries: Sequence[Query | Sql], instant: bool = False):
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        if isinstance(query, Sql):
            panel.datasource(TIMELINE).with_target(replace(query, ref=letter))
            continue
        target = prometheus.Dataquery().ref_id(letter).expr(query.expr).legend_format(query.legend)
        panel.datasource(PROMETHEUS).with_target(target.instant() if instant else target.range())
    return panel


def _looks(panel, title: str, says: str, span: int, height: int):
    return panel.title(title).description(says).span(span).height(height)


def _thresholds(found: Sequence[Step]) -> dashboard.ThresholdsConfig:
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(list(found))


def _colours(by_name: Mapping[str, str], panel):
    for name, colour in by_name.items():
        fixed = {"mode": FieldColorModeId.FIXED.value, "fixedColor": colour}
        panel.override_by_name(name, [DynamicConfigValue("color", fixed)])
    return panel


def graph(
    title: str,
    says: str,
    queries: Sequence[Query | Sql],
    *,
    unit: str = "short",
    span: int = 12,
    height: int = 8,
    bands: Sequence[Step] = (),
    points: bool = False,
    bars: bool = False,
    log: bool = False,
    interval: str = "",
    softly: tuple[float, float] | None = None,
    colours: Mapping[str, str] | None = None,
) -> timeseries.Panel:
    """Values over time.

    Args:
        title: of the panel.
        says: what it shows, for the (i) at its corner.
        queries: one or more.
        unit: Grafana's name of it.
        span: columns of 24.
        height: rows.
        bands: thresholds that colour the ground.
        points: points without lines.
        bars: stacked bars.
        log: a logarithmic axis.
        interval: least step, e.g. `1h`.
        softly: least and greatest value that are always in sight.
        colours: by name of a series.
    """
    panel = _looks(_ask(timeseries.Panel(), queries), title, says, span, height)
    panel.unit(unit).line_width(1).fill_opacity(0).show_points(VisibilityMode.NEVER)
    panel.legend(common.VizLegendOptions().show_legend(True).placement("bottom").calcs([]))
    panel.thresholds(_thresholds(bands or steps(LINE)))
    if bands:
        style = GraphThresholdsStyleMode.LINE_AND_AREA
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
    if points:
        panel.draw_style(GraphDrawStyle.POINTS).show_points(VisibilityMode.ALWAYS).point_size(6)
    if bars:
        stacked = common.StackingConfig().mode(StackingMode.NORMAL).group("A")
        panel.draw_style(GraphDrawStyle.BARS).fill_opacity(80).stacking(stacked)
    if log:
        panel.scale_distribution(common.ScaleDistributionConfig().type("log").log(10))
    if interval:
        panel.interval(interval)
    if softly:
        panel.axis_soft_min(softly[0]).axis_soft_max(softly[1])
    return _colours(colours or {}, panel)


def lasting(days: int, *panels):
    """Panels that always show the last so many days, whatever time is in sight."""
    return [panel.time_from(f"{days}d") for panel in panels]


def held(panel: timeseries.Panel) -> timeseries.Panel:
    """Draw a value as valid until the next one comes."""
    return panel.line_interpolation(LineInterpolation.STEP_AFTER).line_width(2)


def tile(
    title: str,
    says: str,
    queries: Sequence[Query],
    *,
    unit: str = "none",
    decimals: int | None = None,
    span: int = 3,
    height: int = 4,
    colours: Sequence[Step] = (),
    words: Sequence[ValueMapping] = (),
    missing: str = "–",
    ground: bool = False,
    text: BigValueTextMode = BigValueTextMode.VALUE,
) -> stat.Panel:
    """The value now, large; `ground` colours all of the tile."""
    panel = _looks(_ask(stat.Panel(), queries, instant=True), title, says, span, height)
    panel.unit(unit).no_value(missing).graph_mode(BigValueGraphMode.NONE).text_mode(text)
    panel.color_mode(BigValueColorMode.BACKGROUND if ground else BigValueColorMode.VALUE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.thresholds(_thresholds(colours or steps(LINE)))
    if decimals is not None:
        panel.decimals(decimals)
    if words:
        panel.mappings(list(words))
    return panel


def states(
    title: str, says: str, queries: Sequence[Query], words: Sequence[ValueMapping], **looks: int
) -> statetimeline.Panel:
    """States over time, a lane each."""
    asked = _ask(statetimeline.Panel(), queries)
    panel = _looks(asked, title, says, looks.get("span", 12), looks.get("height", 8))
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel.mappings(list(words)).show_value(VisibilityMode.NEVER).row_height(0.8).line_width(0)
    return panel.legend(common.VizLegendOptions().show_legend(True).placement("bottom").calcs([]))


def heat(title: str, says: str, query: Query, *, unit: str, span: int = 12, height: int = 8):
    """A histogram over time."""
    target = prometheus.Dataquery().ref_id("A").expr(query.expr).legend_format(query.legend)
    panel = heatmap.Panel().datasource(PROMETHEUS)
    panel.with_target(target.range().format(PromQueryFormat.HEATMAP))
    axis = heatmap.YAxisConfig().unit(unit)
    return _looks(panel, title, says, span, height).y_axis(axis)


def bars(title: str, says: str, query: Sql, x: str, *, unit: str, span: int = 12, height: int = 8):
    """One bar, or a few, for each row of a table."""
    panel = _looks(_ask(barchart.Panel(), [query]), title, says, span, height)
    return panel.x_field(x).unit(unit).show_value(VisibilityMode.NEVER)


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
    panel = _looks(table.Panel(), title, says, span, height).datasource(PROMETHEUS)
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
        looks.append(DynamicConfigValue("thresholds", _thresholds(column.steps).build()))
    if column.words or column.steps:
        looks.append(DynamicConfigValue("custom.cellOptions", {"type": "color-background"}))
    return looks


def rows(title: str, says: str, query: Sql, *, span: int = WIDTH, height: int = 8) -> table.Panel:
    """A table as the timeline gives it."""
    return _looks(_ask(table.Panel(), [query]), title, says, span, height)
