"""What every dashboard has: variables, annotations, links, times."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.expressions import firing
from grafana.parts import POSTGRES_TYPE, PROMETHEUS, TIMELINE, Sql
from grafana.style import INFANT_UID, LINE, PRIORITIES, RUNBOOKS, TAG, USUAL

DEFAULT_RUNBOOKS = "docs/runbooks"  # as in the alerts
ALL = VariableOption(selected=True, text="All", value="$__all")


class Annotation(AnnotationQuery):
    """An annotation with what the SDK has no field for, but Grafana's Prometheus reads."""

    def __init__(self, name: str, colour: str, expr: str, **extras: object) -> None:
        super().__init__(name=name, datasource=PROMETHEUS, icon_color=colour, expr=expr)
        self._extras = extras

    def to_json(self) -> dict[str, object]:
        """As Grafana keeps it."""
        return super().to_json() | self._extras

    def build(self) -> "Annotation":
        """Itself: the SDK asks each annotation so."""
        return self


class TimelineAnnotation(Annotation):
    """An annotation of rows: `time`, `timeend`, `title`, `text`, `tags`."""

    def __init__(self, name: str, colour: str, sql: str) -> None:
        target = Sql(sql, series=False, ref="Anno")
        super().__init__(name, colour, "", target=target)
        self.datasource, self.expr = TIMELINE, None


def alerts(where: str) -> list[Annotation]:
    """Firing alerts, in the colour of their priority."""
    return [
        Annotation(
            f"{p.words} alerts",
            p.colour,
            firing(p.severity, where),
            titleFormat="{{alertname}}",
            textFormat="{{bed}} {{infant}} {{monitor}}",
            tagKeys="ward,severity",
            step="15s",
        )
        for p in PRIORITIES
    ]


def admissions(where: str) -> Annotation:
    """When infants were admitted."""
    return Annotation(
        "Admissions",
        LINE,
        f"1000 * (vagitus_admitted_timestamp_seconds{{{where}}} > 0)",
        titleFormat="admitted",
        textFormat="{{infant}} in {{bed}}, at {{monitor}}",
        tagKeys="ward",
        useValueForTime=True,
    )


def rebaselines(where: str) -> Annotation:
    """When a baseline began anew or was rolled back: it then stands on fewer cries."""
    return Annotation(
        "Re-baselines",
        USUAL,
        f"resets(vagitus_baseline_segments{{{where}}}[$__interval]) > 0",
        titleFormat="baseline taken back",
        textFormat="{{infant}} in {{bed}}",
        tagKeys="ward",
    )


def choice(
    name: str, label: str, values: str, *, several: bool = False, hidden: bool = False
) -> dashboard.QueryVariable:
    """A variable whose values are those of a label, e.g. `label_values(series, ward)`."""
    variable = dashboard.QueryVariable(name).label(label).datasource(PROMETHEUS)
    variable.query({"query": values, "refId": name}).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    variable.sort(VariableSort.NATURAL_ASC)
    if several:
        variable.multi(True).include_all(True).current(ALL)
    return variable.hide(VariableHide.HIDE_VARIABLE) if hidden else variable


def ward() -> dashboard.QueryVariable:
    """The ward in sight."""
    return choice("ward", "Ward", "label_values(vagitus_admitted_timestamp_seconds, ward)")


def source(name: str, label: str, kind: str) -> dashboard.DatasourceVariable:
    """Which of Grafana's data sources of a kind is asked."""
    return dashboard.DatasourceVariable(name).label(label).type(kind)


def link(
    title: str, url: str, variables: Mapping[str, str] | None = None, *, apart: bool = False
) -> dashboard.DashboardLink:
    """A link of a panel or a cell, with values for the variables of where it leads."""
    query = "&".join(f"var-{name}={value}" for name, value in (variables or {}).items())
    # Keeps the time that is in sight.
    address = f"{url}?${{__url_time_range}}&{query}" if variables else url
    made = dashboard.DashboardLink(title).url(address).target_blank(apart)
    return made.type(DashboardLinkType.LINK)


def runbook(alert: str) -> dashboard.DashboardLink:
    """To the page that says what to do about an alert."""
    return link(f"Runbook: {alert}", f"{RUNBOOKS}/{alert}.md", apart=True)


def to_infant(ward: str, infant: str) -> dashboard.DashboardLink:
    """To the dashboard of one infant; the arguments are Grafana expressions."""
    where = {"ward": ward, "infant": infant}
    return link("This infant", f"/d/{INFANT_UID}", where)


def frame(
    uid: str,
    title: str,
    says: str,
    runbooks_url: str,
    variables: Sequence,
    annotations: Sequence[Annotation],
    *,
    since: str,
    timeline: bool = False,
) -> dashboard.Dashboard:
    """A dashboard without panels."""
    others = dashboard.DashboardLink("Vagitus").type(DashboardLinkType.DASHBOARDS)
    others.tags([TAG]).as_dropdown(False).include_vars(True).keep_time(True).tooltip("")
    runbooks = dashboard.DashboardLink("Runbooks").type(DashboardLinkType.LINK).icon("doc")
    made = dashboard.Dashboard(title).uid(uid).description(says).tags([TAG]).readonly()
    made.tooltip(DashboardCursorSync.CROSSHAIR).time(since, "now").refresh("10s")
    made.timezone("browser").version(1)
    sources = [source("prometheus", "Prometheus", "prometheus")]
    if timeline:
        sources.append(source("timeline", "Timeline", POSTGRES_TYPE))
    pages = dashboard.ConstantVariable("runbooks").value(runbooks_url)
    made.variables([*sources, pages, *variables]).annotations(list(annotations))
    return made.links([others, runbooks.url(RUNBOOKS).target_blank(True)])
