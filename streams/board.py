"""The ward in the terminal: what each cot is doing, from the records that the stream publishes."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from models.deviation.gate import Reason
from streams.records.cry_scores import CryScores
from streams.records.deviation import DeviationRecord
from streams.records.place import Place

# One cry in a hundred of a healthy infant: shown at once, though not yet a reason to alert.
DEVIATING_P_VALUE = 0.01
SILENT_AFTER_SECONDS = 5.0
# Red, yellow and cyan are the colours of high, medium and low priority (IEC 60601-1-8).
_STYLES = {
    "deviating": "bold red",
    "silent": "bold yellow",
    "crying": "cyan",
    "learning": "dim",
    "no infant": "dim",
    "quiet": "green",
}


@dataclass(slots=True)
class CotState:
    """What is known of one cot."""

    place: Place
    heard_at: float | None = None
    last_score: float = 0.0
    cry_seconds: int = 0
    deviation: DeviationRecord | None = None
    deviations: list[DeviationRecord] = field(default_factory=list)

    def state(self, now: float, onset_score: float) -> str:
        """`silent`, `deviating`, `crying`, `learning` or `quiet`: the first that holds.

        A monitor without an admission is `crying` or `no infant`: nobody learns there, and nobody
        needs to be told that it is silent.
        """
        silent = self.heard_at is None or now - self.heard_at > SILENT_AFTER_SECONDS
        if not self.place.assigned:
            return "crying" if not silent and self.last_score >= onset_score else "no infant"
        if silent:
            return "silent"
        if self.deviation is not None and is_deviating(self.deviation):
            return "deviating"
        if self.last_score >= onset_score:
            return "crying"
        if self.deviation is None or self.deviation.state == "learning":
            return "learning"
        return "quiet"


def is_deviating(record: DeviationRecord) -> bool:
    """Whether a cry is far from its infant's baseline, or its infant drifts."""
    unusual = record.p_value is not None and record.p_value <= DEVIATING_P_VALUE
    return record.state == "ready" and (unusual or record.drifting)


class Board:
    """The state of a ward, kept from `cry-scores` and `deviations`."""

    def __init__(self, places: Iterable[Place], onset_score: float) -> None:
        self.cots = {place.monitor: CotState(place) for place in places}
        self._onset_score = onset_score
        self.scores: dict[tuple[str, int], float] = {}
        self.repeated_scores = 0
        self.deviations: dict[str, DeviationRecord] = {}
        self.dead_letters = 0

    def hear(self, scores: CryScores, now: float | None = None) -> None:
        """Take one record of scores."""
        heard_at = time.monotonic() if now is None else now
        for score in scores.scores:
            key = (score.monitor, score.captured_at_ms)
            if key in self.scores:
                self.repeated_scores += 1
                continue
            self.scores[key] = score.score
            cot = self._cot(score.monitor)
            cot.heard_at = heard_at
            cot.last_score = score.score
            cot.cry_seconds += score.score >= self._onset_score

    def say(self, record: DeviationRecord) -> None:
        """Take one deviation."""
        if record.id in self.deviations:
            return
        self.deviations[record.id] = record
        cot = self._cot(record.monitor)
        cot.deviation = record
        cot.deviations.append(record)

    def _cot(self, monitor: str) -> CotState:
        return self.cots.setdefault(monitor, CotState(Place(monitor)))

    def table(self, title: str, now: float | None = None) -> Table:
        """The ward as a table, one cot a row."""
        now = time.monotonic() if now is None else now
        table = tight_table(title)
        for column in ("bed", "infant"):
            table.add_column(column)
        table.add_column("state", no_wrap=True)
        for column in ("cry min", "cries", "learned", "last deviation", "drift"):
            table.add_column(column, justify="right", no_wrap=True)
        for cot in self.cots.values():
            state = cot.state(now, self._onset_score)
            table.add_row(
                _name(cot.place.bed or cot.place.monitor),
                _name(cot.place.infant or "-"),
                Text(state, _STYLES[state]),
                f"{cot.cry_seconds / 60:.1f}",
                str(len(cot.deviations)),
                _learned(cot.deviation),
                deviation_text(cot.deviation),
                _number(cot.deviation.drift_sigma if cot.deviation else None),
            )
        return table


def tight_table(title: str) -> Table:
    """An empty table whose columns stand close: 80 columns hold a ward's figures."""
    return Table(
        title=title, title_justify="left", box=SIMPLE,
        show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip


def deviation_text(record: DeviationRecord | None) -> str:
    """A deviation in one cell: sigma and p-value."""
    if record is None or record.sigma is None or record.p_value is None:
        return "-"
    return f"{record.sigma:+.1f}σ p {record.p_value:.3f}"


def _learned(record: DeviationRecord | None) -> str:
    """How many cries the baseline stands on, and whether staff have paused it."""
    if record is None:
        return "-"
    paused = " paused" if record.reason == Reason.PAUSED else ""
    return f"{record.baseline_segments}{paused}"


def _name(text: str) -> Text:
    # Where a row is too long, names are cut and figures are not.
    return Text(text, no_wrap=True, overflow="ellipsis")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}σ"
