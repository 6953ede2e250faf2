"""How the dashboards look and where they point: colours, identifiers, words for states."""

from dataclasses import dataclass

from grafana_foundation_sdk.models.dashboard import (
    Threshold,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

# IEC 60601-1-8: red, yellow and cyan mean the priority of an alarm and nothing else does.
HIGH, MEDIUM, LOW = "#E02F44", "#FADE2A", "#00BCD4"
CALM, CRYING, USUAL, HELD, LINE = "#4A5560", "#9673B9", "#5B7F95", "#8FC18F", "#C8CDD2"
CLEAR = "transparent"

RUNBOOKS = "${runbooks}"
"""Where `docs/runbooks` is to be read: a constant of each dashboard, see `frame.frame`."""

WARD_UID, INFANT_UID = "vagitus-ward", "vagitus-infant"
PIPELINE_UID, MONITORS_UID = "vagitus-pipeline", "vagitus-monitors"
TAG = "vagitus"


@dataclass(frozen=True, slots=True)
class Priority:
    """An alarm's priority: the `severity` of its rule, and how it is shown."""

    severity: str
    rank: int
    words: str
    colour: str


PRIORITIES = (
    Priority("high", 3, "High", HIGH),
    Priority("medium", 2, "Medium", MEDIUM),
    Priority("low", 1, "Low", LOW),
)
# Between the lowest alarm and quiet.
CRYING_RANK = 0.5


def words(meanings: dict[float, tuple[str, str]]) -> list[ValueMapping]:
    """Value mappings from a number to its word and colour."""
    options = {
        f"{value:g}": ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(meanings.items())
    }
    return [ValueMap(options)]


PRIORITY_WORDS = words({p.rank: (p.words, p.colour) for p in PRIORITIES} | {0: ("–", CLEAR)})
STATE_WORDS = words(
    {p.rank: (f"{p.words} alarm", p.colour) for p in PRIORITIES}
    | {CRYING_RANK: ("crying", CRYING), 0: ("quiet", CALM)}
)
CRY_WORDS = words({1: ("crying", CRYING), 0: ("quiet", CALM)})


def steps(base: str, *above: tuple[float, str]) -> list[Threshold]:
    """Thresholds: a colour from minus infinity on, then others from values on."""
    return [Threshold(value=None, color=base)] + [Threshold(value=v, color=c) for v, c in above]
