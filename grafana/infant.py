"""One infant: its cries against its own band, over hours and over weeks."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Panel

from grafana.expressions import newest, of_cot, since, state
from grafana.frame import (
    TimelineAnnotation,
    admissions,
    alerts,
    choice,
    frame,
    link,
    rebaselines,
    runbook,
    ward,
)
from grafana.parts import Query, bars, graph, held, lasting, states, tile
from grafana.statements import (
    ACT_MARKS,
    ACTS,
    BAND_BY_DAY,
    CRIES,
    DRIFT_BY_DAY,
    EVERY_CRY,
    GATE_BY_DAY,
    GATE_BY_HOUR,
    MINUTES_BY_HOUR,
    MINUTES_EACH_HOUR,
)
from grafana.style import (
    CALM,
    CLEAR,
    CRY_WORDS,
    HELD,
    HIGH,
    INFANT_UID,
    LINE,
    MEDIUM,
    STATE_WORDS,
    USUAL,
    WARD_UID,
    steps,
    words,
)
from grafana.tables import rows
from models.deviation.gate import DEVIANT_BELOW_P
from streams.timeline.figures import DEVIANT_SIGMA, USUAL_SIGMA

WHERE = 'ward="$ward", infant="$infant"'
BAND = steps(CLEAR, (-USUAL_SIGMA, USUAL), (USUAL_SIGMA, CLEAR), (DEVIANT_SIGMA, HIGH))
DRIFT_WORDS = words({1: ("drifting", MEDIUM), 0: ("steady", CALM)})
LEARNING_WORDS = words({0: ("it learns", CALM)})
# Whatever time is in sight above.
WEEKS_DAYS = 28
MARKS = {"learned": USUAL, "unusual": HIGH, "held": HELD, "refused": CALM}


def build(runbooks_url: str) -> dashboard.Dashboard:
    """The dashboard, with its runbooks at that address."""
    infant = choice("infant", "Infant", 'label_values(vagitus_cry_active{ward="$ward"}, infant)')
    made = frame(
        INFANT_UID,
        "Vagitus: one infant",
        "An infant's cries against its own band: hours from Prometheus, weeks from the timeline.",
        runbooks_url,
        [ward(), infant],
        [
            *alerts(WHERE),
            admissions(WHERE),
            rebaselines(WHERE),
            TimelineAnnotation("Acts of staff", LINE, ACT_MARKS),
        ],
        since="now-12h",
        timeline=True,
    )
    for panel in _now():
        made.with_panel(panel)
    made.with_row(dashboard.Row("Hours"))
    for panel in _hours():
        made.with_panel(panel)
    made.with_row(dashboard.Row(f"The last {WEEKS_DAYS} days, from the timeline"))
    for panel in lasting(WEEKS_DAYS, *_weeks()):
        made.with_panel(panel)
    return made


def _now() -> Iterator[Builder[Panel]]:
    yield tile(
        "State",
        "The priority of the alarm, or whether the infant cries.",
        [Query(state(WHERE), "{{bed}}")],
        words=STATE_WORDS,
        ground=True,
        missing="NOT WATCHED",
    ).links([link("The ward", f"/d/{WARD_UID}", {"ward": "${ward}"})])
    yield tile(
        "Since", "Since when the state is so.", [Query(since(WHERE))], unit="dateTimeFromNow"
    )
    yield tile(
        "Deviation",
        "How unusual the last cry was for this infant, in its own standard deviations.",
        [Query(newest("vagitus_deviation_sigma", WHERE))],
        unit="suffix:σ",
        decimals=1,
        colours=steps(LINE, (DEVIANT_SIGMA, HIGH)),
        missing="learning",
    )
    yield tile(
        "p-value",
        "Share of this infant's usual cries that are at least as unusual as the last one.",
        [Query(newest("vagitus_deviation_p_value", WHERE))],
        decimals=3,
        missing="learning",
    )
    yield tile(
        "From admission",
        "How far recent cries are from those that were learned after admission.",
        [Query(of_cot("vagitus_drift_sigma", WHERE))],
        unit="suffix:σ",
        decimals=1,
        missing="learning",
    )
    yield tile(
        "Cries learned",
        "How many cries the baseline stands on; falls when staff begin anew or roll back.",
        [Query(of_cot("vagitus_baseline_segments", WHERE))],
        decimals=0,
        span=2,
    )
    paused = of_cot("vagitus_learning_paused_timestamp_seconds", WHERE)
    yield tile(
        "Learning paused",
        "Since when staff have paused learning from its cries; they are compared all the same.",
        [Query(f"1000 * {paused}")],
        unit="dateTimeFromNow",
        words=LEARNING_WORDS,
    )
    cried = f"sum(increase(vagitus_cry_seconds_total{{{WHERE}}}[24h]))"
    yield tile(
        "Cried in 24 h",
        "Time in cries of the last day, as far as the workers have run.",
        [Query(cried)],
        unit="s",
        decimals=0,
        span=2,
    )
    admitted = of_cot("vagitus_admitted_timestamp_seconds", WHERE)
    yield tile("Admitted", "When.", [Query(f"1000 * {admitted}")], unit="dateTimeFromNow", span=2)


def _hours() -> Iterator[Builder[Panel]]:
    yield held(
        graph(
            "Deviation from its own band",
            f"How unusual each cry was for this infant. In the blue band, ±{USUAL_SIGMA:g} σ, lie "
            "nineteen of twenty of its usual cries, above the red line one in a hundred.",
            [Query(newest("vagitus_deviation_sigma", WHERE), "last cry")],
            unit="suffix:σ",
            bands=BAND,
            softly=(-3, 4),
        ).links([runbook("InfantDeviating")])
    )
    yield held(
        graph(
            "p-value",
            "Share of its usual cries that are at least as unusual; red is below "
            f"{DEVIANT_BELOW_P:g}.",
            [Query(newest("vagitus_deviation_p_value", WHERE), "last cry")],
            bands=steps(HIGH, (DEVIANT_BELOW_P, CLEAR)),
            log=True,
        )
    )
    yield held(
        graph(
            "Distance from the admission reference",
            "How far recent cries are from the frozen reference of the first days.",
            [Query(of_cot("vagitus_drift_sigma", WHERE), "recent cries")],
            unit="suffix:σ",
            softly=(0, 3),
        ).links([runbook("InfantDrifting")])
    )
    yield states(
        "Crying and drift",
        "When the infant cried, and when its cries were away from the admission reference for "
        "long enough to be said.",
        [
            Query(of_cot("vagitus_cry_active", WHERE), "crying"),
            Query(of_cot("vagitus_drifting", WHERE), "drifting"),
        ],
        CRY_WORDS,
    ).override_by_name("drifting", [DynamicConfigValue("mappings", DRIFT_WORDS)])
    lately = f"sum(increase(vagitus_cry_seconds_total{{{WHERE}}}[1h]))"
    yield graph(
        "Crying in the hour before",
        "Time in cries, at each moment of the hour before it. From Prometheus.",
        [Query(lately, "crying")],
        unit="s",
        span=8,
    )
    yield graph(
        "Cry minutes, hour by hour",
        "Minutes in cries that began in each hour. From the timeline.",
        [MINUTES_EACH_HOUR],
        unit="m",
        bars=True,
        span=8,
    )
    yield graph(
        "What the gate decided, hour by hour",
        "Whether cries were learned from, and why not. From the timeline.",
        [GATE_BY_HOUR],
        bars=True,
        span=8,
    )


def _weeks() -> Iterator[Builder[Panel]]:
    yield graph(
        "Every cry",
        "Each cry by how unusual it was for this infant, and by what became of it.",
        [EVERY_CRY],
        unit="suffix:σ",
        bands=BAND,
        points=True,
        colours=MARKS,
        softly=(-3, 4),
    )
    yield graph(
        "Its cries, day by day",
        "Median of each day, and where eight of ten cries lay. A band that wanders off is a drift.",
        [BAND_BY_DAY],
        unit="suffix:σ",
        bands=BAND,
        softly=(-3, 4),
    )
    yield graph(
        "Distance from the admission reference, day by day",
        "Mean of each day.",
        [DRIFT_BY_DAY],
        unit="suffix:σ",
        softly=(0, 3),
    )
    yield graph(
        "What the gate decided, day by day",
        "Whether cries were learned from, and why not.",
        [GATE_BY_DAY],
        bars=True,
    )
    yield bars(
        "Cry minutes by hour of the day",
        "A usual day of the time in sight beside the last 24 hours.",
        MINUTES_BY_HOUR,
        "hour",
        unit="m",
        span=24,
    )
    yield rows("The last cries", "The last hundred, newest first.", CRIES, span=14)
    yield rows("Acts of staff", "What staff did, newest first.", ACTS, span=10)
