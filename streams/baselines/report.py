"""What an infant's baseline is, for people and for programs."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from rich.console import Group
from rich.table import Table
from rich.text import Text

from models.deviation.gate import Decision, Reason
from models.deviation.summary import Summary
from streams import words
from streams.baselines.judging import Entry
from streams.records.baseline_act import BaselineAct
from streams.records.stored_baseline import StoredBaseline
from streams.timeline.acts import Act
from streams.timeline.figures import local

# The last of them: the timeline has all.
SHOWN_CRIES, SHOWN_ACTS = 10, 10


@dataclass(frozen=True, slots=True)
class BaselineReport:
    """What there is to be told.

    Attributes:
        infant: whose baseline.
        stored: its row.
        summary: its figures; None where the rules of this version cannot go on with it.
        acts: what staff did, in time order, as far as the timeline can be asked.
        waiting: what lies on the log and is not in the row yet.
    """

    infant: str
    stored: StoredBaseline
    summary: Summary | None
    acts: Sequence[Act] = ()
    waiting: Sequence[Entry] = ()

    def as_json(self) -> dict[str, object]:
        """Everything, as plain data; times are in UTC."""
        stored = self.stored
        return {
            "infant": self.infant,
            "baseline": self.summary and dataclasses.asdict(self.summary),
            "learning_paused": stored.pause and dataclasses.asdict(stored.pause),
            "heard": stored.heard,
            "decisions": stored.decisions,
            "taken_out": stored.taken_out,
            "learned": [
                {"segment_id": name, "at": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()}
                for name, at_ms in stored.learned
            ],
            "acts": [dataclasses.asdict(act) for act in self.acts],
            "waiting": {
                "cries": len(self.waiting) - len(self._acts_waiting),
                "acts": [dataclasses.asdict(act) for act in self._acts_waiting],
            },
        }

    @property
    def _acts_waiting(self) -> list[BaselineAct]:
        return [entry for entry in self.waiting if isinstance(entry, BaselineAct)]

    def drawn(self, zone: tzinfo | None = None) -> Group:
        """For the terminal; times are of this machine where no zone is given."""
        parts = [Text(self._headline(), style="bold"), self._figures(zone)]
        if self.stored.learned:
            parts += [Text(), *self._learned(zone)]
        if self.acts:
            parts += [Text(), *(_act(act, zone) for act in self.acts[-SHOWN_ACTS:])]
        return Group(*parts)

    def _headline(self) -> str:
        if self.summary is None:
            return f"{self.infant} · of other rules than this version's"
        return f"{self.infant} · {self.summary.state} · {self.summary.version}"

    def _figures(self, zone: tzinfo | None) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        for name, text in self._rows(zone):
            table.add_row(name, Text(text))
        return table

    def _rows(self, zone: tzinfo | None) -> list[tuple[str, str]]:
        stored, summary, pause = self.stored, self.summary, self.stored.pause
        rows = [("learning", "goes on")]
        if pause is not None:
            why = f": {pause.why}" if pause.why else ""
            rows = [("learning", f"paused since {_time(pause.since_ms, zone)} by {pause.who}{why}")]
        if self.waiting:
            said = f"{self._said_of_waiting()}: no worker has come to them"
            rows.append(("not yet in it", said))
        if summary is None:
            rows.append(("next", "made anew from its cries at its next one, or by a rebuild"))
        else:
            rows.append(("learned from", _learned_from(stored, summary)))
        rows += [("accepted", _counts(stored, Decision.ACCEPTED))]
        waiting = f", {summary.waiting} waiting" if summary and summary.waiting else ""
        rows += [("held back", _counts(stored, Decision.HELD) + waiting)]
        rows += [("refused", _counts(stored, Decision.REFUSED))]
        if stored.taken_out:
            rows.append(("taken out", f"{stored.taken_out} by staff"))
        return rows if summary is None else rows + _model_rows(summary)

    def _said_of_waiting(self) -> str:
        cries = len(self.waiting) - len(self._acts_waiting)
        counted = [words.cries(cries)] if cries else []
        return ", ".join(counted + [f"{act.what} ({act.who})" for act in self._acts_waiting])

    def _learned(self, zone: tzinfo | None) -> Iterable[Text]:
        shown = self.stored.learned[-SHOWN_CRIES:]
        yield Text(f"The last {words.cries(len(shown))} learned from", style="dim")
        for name, at_ms in shown:
            yield Text(f"● {_time(at_ms, zone)}  {name}")


def _learned_from(stored: StoredBaseline, summary: Summary) -> str:
    said = f"{summary.accepted} of {stored.heard} cries" if stored.heard else "no cry yet"
    if not stored.heard and summary.accepted:  # a row of before they were counted
        said = f"{summary.accepted} cries"
    if summary.state == "learning":
        said += f", ready after {summary.ready_after}"
    return said


def _model_rows(summary: Summary) -> list[tuple[str, str]]:
    line = "nothing is scored yet"
    if summary.deviant_sigma is not None:
        line = (
            f"p below {summary.deviant_below_p:g}, for this infant from "
            f"{summary.deviant_sigma:+.1f}σ; {summary.calibration_cries} own scores behind it"
        )
    admission = f"after {summary.reference_cries} cries"
    if summary.reference_taken:
        admission = f"the first {summary.reference_cries} cries"
    adaptive = f"the last {words.cries(summary.adaptive_cries)}"
    if summary.apart_sigma is not None:
        adaptive += f", {summary.apart_sigma:.1f}σ from the admission's"
    drift = "unknown" if summary.drift_sigma is None else f"{summary.drift_sigma:.1f}σ"
    said = "drifting" if summary.drifting else "no drift"
    return [
        ("unusual", line),
        ("its cries vary", f"{summary.spread:.2f} times as much as usual on the ward"),
        ("admission reference", admission),
        ("adaptive reference", adaptive),
        ("drift", f"{drift}, {said} (sum {summary.drift_sum:.1f} of {summary.drift_limit:g})"),
    ]


def _counts(stored: StoredBaseline, decision: Decision) -> str:
    counts = {
        reason: count
        for reason, count in stored.decisions.items()
        if Reason(reason).decision is decision
    }
    if not counts:
        return "0"
    by_count = sorted(counts.items(), key=lambda item: -item[1])
    reasons = ", ".join(f"{reason} {count}" for reason, count in by_count)
    return f"{sum(counts.values())} ({reasons})"


def _time(at_ms: int, zone: tzinfo | None) -> str:
    return f"{local(at_ms, zone):%Y-%m-%d %H:%M:%S}"


def _act(act: Act, zone: tzinfo | None) -> Text:
    line = Text("◆ ", "magenta").append(f"{_time(act.at_ms, zone)}  {act.what}, {act.who}", "")
    line.append(f": {act.remark}" if act.remark else "", "")
    return line.append(f" → {act.outcome}" if act.outcome else "", "dim")
