"""The kinds of panels, each one function: what it asks, and how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
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
# The SDK's builders of panels have the same methods, but no class of their own in common.
Panel = TypeVar("Panel")


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


def asking(panel: Panel, queries: Sequence[Query | Sql], instant: bool = False) -> Panel:
    """Let a panel ask, each query by its letter."""
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        if isinstance(query, Sql):
            panel.datasource(TIMELINE).with_target(replace(query, ref=letter))
            continue
        target = prometheus.Dataquery().ref_id(letter).expr(query.expr).legend_format(query.legend)
        panel.datasource(PROMETHEUS).with_target(target.instant() if instant else target.range())
    return panel


def looking(panel: Panel, title: str, says: str, span: int, height: int) -> Panel:
    """Give a panel its title, its explanation and its size."""
    return panel.title(title).description(says).span(span).height(height)


def thresholds(found: Sequence[Step]) -> dashboard.ThresholdsConfig:
    """Steps as the SDK takes them."""
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(list(found))


def _colours(by_name: Mapping[str, str], panel: Panel) -> Panel:
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
    panel = looking(asking(timeseries.Panel(), queries), title, says, span, height)
    panel.unit(unit).line_width(1).fill_opacity(0).show_points(VisibilityMode.NEVER)
    panel.legend(common.VizLegendOptions().show_legend(True).placement("bottom").calcs([]))
    panel.thresholds(thresholds(bands or steps(LINE)))
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


def lasting(days: int, *panels: Panel) -> list[Panel]:
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
    panel = looking(asking(stat.Panel(), queries, instant=True), title, says, span, height)
    panel.unit(unit).no_value(missing).graph_mode(BigValueGraphMode.NONE).text_mode(text)
    panel.color_mode(BigValueColorMode.BACKGROUND if ground else BigValueColorMode.VALUE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.thresholds(thresholds(colours or steps(LINE)))
    if decimals is not None:
        panel.decimals(decimals)
    if words:
        panel.mappings(list(words))
    return panel


def states(
    title: str, says: str, queries: Sequence[Query], words: Sequence[ValueMapping], **looks: int
) -> statetimeline.Panel:
    """States over time, a lane each."""
    asked = asking(statetimeline.Panel(), queries)
    panel = looking(asked, title, says, looks.get("span", 12), looks.get("height", 8))
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel.mappings(list(words)).show_value(VisibilityMode.NEVER).row_height(0.8).line_width(0)
    return panel.legend(common.VizLegendOptions().show_legend(True).placement("bottom").calcs([]))


def heat(
    title: str, says: str, query: Query, *, unit: str, span: int = 12, height: int = 8
) -> heatmap.Panel:
    """A histogram over time."""
    target = prometheus.Dataquery().ref_id("A").expr(query.expr).legend_format(query.legend)
    panel = heatmap.Panel().datasource(PROMETHEUS)
    panel.with_target(target.range().format(PromQueryFormat.HEATMAP))
    axis = heatmap.YAxisConfig().unit(unit)
    return looking(panel, title, says, span, height).y_axis(axis)


def bars(
    title: str, says: str, query: Sql, x: str, *, unit: str, span: int = 12, height: int = 8
) -> barchart.Panel:
    """One bar, or a few, for each row of a table."""
    panel = looking(asking(barchart.Panel(), [query]), title, says, span, height)
    return panel.x_field(x).unit(unit).show_value(VisibilityMode.NEVER)
