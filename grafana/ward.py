"""The ward's overview: who needs attention first, and a tile for every cot."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import BigValueTextMode
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Panel

from grafana.expressions import begun, firing, heard, newest, of_cot, priority, since, state
from grafana.frame import (
    admissions,
    alerts,
    choice,
    frame,
    link,
    rebaselines,
    runbook,
    to_infant,
    ward,
)
from grafana.parts import Query, graph, held, states, tile
from grafana.style import (
    CALM,
    CLEAR,
    CRY_WORDS,
    HIGH,
    LINE,
    MONITORS_UID,
    PRIORITIES,
    PRIORITY_WORDS,
    RUNBOOKS,
    STATE_WORDS,
    WARD_UID,
    steps,
)
from grafana.tables import Column, Sheet, sheet
from streams.timeline.figures import DEVIANT_SIGMA, USUAL_SIGMA

WHERE = 'ward="$ward"'
# What is wrong with the pipeline concerns every ward, and names none.
WARD_OR_ALL = 'ward=~"$ward|"'
OF_BED = 'ward="$ward", bed="$bed"'
CELL_INFANT = to_infant("${ward}", "${__data.fields.Infant}")
SIGMA_STEPS = steps(CLEAR, (DEVIANT_SIGMA, HIGH))


def build(runbooks_url: str) -> dashboard.Dashboard:
    """The dashboard, with its runbooks at that address."""
    beds = choice(
        "bed", "Cot", f"label_values(vagitus_cry_active{{{WHERE}}}, bed)", several=True, hidden=True
    )
    made = frame(
        WARD_UID,
        "Vagitus: ward",
        "A tile for every cot: its state and since when; above, who needs attention first.",
        runbooks_url,
        [ward(), beds],
        [*alerts(WARD_OR_ALL), admissions(WHERE), rebaselines(WHERE)],
        since="now-6h",
    )
    for panel in (*_counts(), _attention(), _firing()):
        made.with_panel(panel)
    made.with_row(dashboard.Row("Cots"))
    made.with_panel(_cot())
    made.with_row(dashboard.Row("What happened"))
    made.with_panel(_crying())
    return made.with_panel(_deviations())


def _counts() -> Iterator[Builder[Panel]]:
    yield tile(
        "Infants",
        "Infants admitted in this ward. None at all means that nobody is watched.",
        [Query(f"count({of_cot('vagitus_cry_active', WHERE)})")],
        missing="nobody is watched",
        span=4,
    )
    yield tile(
        "Crying now",
        "Infants that cry at this moment.",
        [Query(f"sum({of_cot('vagitus_cry_active', WHERE)})")],
        span=4,
    )
    for level in PRIORITIES:
        yield tile(
            f"{level.words} alarms",
            f"Alerts of {level.words.lower()} priority that fire, of this ward's infants and "
            "monitors and of the pipeline.",
            [Query(f"count({firing(level.severity, WARD_OR_ALL)}) or vector(0)")],
            colours=steps(LINE, (1, level.colour)),
            span=4,
        )
    yield tile(
        "Longest unheard",
        "How long ago the monitor was last heard that was silent the longest.",
        [Query(f"time() - min({heard(WHERE)})")],
        unit="s",
        decimals=0,
        span=4,
    ).links([link("Monitors", f"/d/{MONITORS_UID}", {"ward": "${ward}"})])


def _attention() -> Builder[Panel]:
    columns = [
        Column("Alarm", priority(WHERE), words=PRIORITY_WORDS),
        Column("Since", since(WHERE), unit="dateTimeFromNow"),
        Column("Now", of_cot("vagitus_cry_active", WHERE), words=CRY_WORDS),
        Column(
            "Deviation",
            newest("vagitus_deviation_sigma", WHERE),
            unit="suffix:σ",
            decimals=1,
            steps=SIGMA_STEPS,
        ),
        Column("p-value", newest("vagitus_deviation_p_value", WHERE), decimals=3),
        Column("Drift", of_cot("vagitus_drift_sigma", WHERE), unit="suffix:σ", decimals=1),
        Column("Cries learned", of_cot("vagitus_baseline_segments", WHERE), decimals=0),
        Column("Last cry", f"1000 * {LAST_CRY}", unit="dateTimeFromNow"),
    ]
    return sheet(
        "Who needs attention first",
        "By the priority of their alarms, then by how long they wait. Deviation, p-value and drift "
        "are of the last cry; empty until the infant's own baseline stands.",
        Sheet(
            columns,
            labels={"bed": "Cot", "infant": "Infant"},
            without=["ward"],
            first=[("Alarm", True), ("Since", False)],
            links={"Cot": [CELL_INFANT], "Infant": [CELL_INFANT]},
        ),
        span=16,
        height=10,
    )


LAST_CRY = of_cot("vagitus_deviation_timestamp_seconds", WHERE)


def _firing() -> Builder[Panel]:
    alert = "alertname, severity, bed, infant, monitor"
    times = " or ".join(begun(p.severity, WARD_OR_ALL) for p in PRIORITIES)
    page = link("What to do", f"{RUNBOOKS}/${{__data.fields.Alert}}.md", apart=True)
    return sheet(
        "Alerts",
        "What is firing in this ward, and in the pipeline. The name leads to its runbook.",
        Sheet(
            [Column("Since", f"1000 * min by ({alert}) ({times})", unit="dateTimeFromNow")],
            labels={"alertname": "Alert", "severity": "Priority", "bed": "Cot", "infant": "Infant",
                    "monitor": "Monitor"},
            links={"Alert": [page], "Infant": [CELL_INFANT]},
        ),
        span=8,
        height=10,
    )  # fmt: skip


def _cot() -> Builder[Panel]:
    labels = {"ward": "${ward}", "infant": "${__field.labels.infant}"}
    there = to_infant(labels["ward"], labels["infant"])
    panel = tile(
        "$bed",
        "State and since when; a click leads to the infant. Grey is quiet, violet cries; red, "
        "yellow and cyan are alarms of high, medium and low priority.",
        [Query(state(OF_BED), "{{infant}}"), Query(since(OF_BED), "since")],
        words=STATE_WORDS,
        missing="NOT WATCHED",
        ground=True,
        text=BigValueTextMode.VALUE_AND_NAME,
    )
    panel.override_by_query("B", [
        DynamicConfigValue("unit", "dateTimeFromNow"),
        DynamicConfigValue("mappings", []),
        DynamicConfigValue("color", {"mode": "fixed", "fixedColor": CALM}),
    ])  # fmt: skip
    return panel.repeat("bed").repeat_direction("h").max_per_row(8).data_links([there])


def _crying() -> Builder[Panel]:
    cries = f"max by (bed) (vagitus_cry_active{{{WHERE}}})"
    says = "When each infant cried."
    return states("Crying", says, [Query(cries, "{{bed}}")], CRY_WORDS, height=10)


def _deviations() -> Builder[Panel]:
    panel = graph(
        "Deviation",
        "How unusual each infant's last cry was for that infant. Between the two lines of the "
        f"ground, ±{USUAL_SIGMA:g} σ, lie nineteen of twenty usual cries; red is where one usual "
        "cry in a hundred lies.",
        [Query(newest("vagitus_deviation_sigma", WHERE), "{{bed}}")],
        unit="suffix:σ",
        bands=SIGMA_STEPS,
        height=10,
        softly=(-3, 4),
    )
    return held(panel).links([runbook("InfantDeviating")])
