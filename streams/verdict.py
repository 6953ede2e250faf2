"""How well a simulated ward was heard: what the stream said, beside what really happened."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from models.synthesis.ward import Truth
from streams.board import Board, is_deviating, tight_table
from streams.records.deviation import DeviationRecord

# A second counts as cry from this share on, as not if it has none; between them it is left out.
CRY_FRACTION = 0.3


@dataclass(slots=True)
class CotVerdict:
    """Seconds of one cot, heard right and wrong.

    Attributes:
        cry: seconds that were cries.
        heard: of them, scored as cries.
        other: seconds without any cry.
        false: of them, scored as cries.
        drifting: whether the infant's voice really moved away.
        flagged_before: cries said to deviate while it had not.
        cries_before: all cries scored by a ready baseline while it had not.
        flagged_after: cries said to deviate after it had.
        cries_after: all cries scored by a ready baseline after it had.
    """

    infant: str
    cry: int = 0
    heard: int = 0
    other: int = 0
    false: int = 0
    drifting: bool = False
    flagged_before: int = 0
    cries_before: int = 0
    flagged_after: int = 0
    cries_after: int = 0


def judge(
    board: Board, truths: Mapping[tuple[str, int], Truth], onset_score: float
) -> dict[str, CotVerdict]:
    """Compare second by second and cry by cry; by monitor."""
    verdicts: dict[str, CotVerdict] = {}
    for (monitor, captured_at_ms), score in board.scores.items():
        truth = truths.get((monitor, captured_at_ms))
        if truth is None:
            continue
        verdict = verdicts.setdefault(monitor, CotVerdict(truth.infant))
        verdict.drifting |= truth.drifting
        if truth.cry_fraction >= CRY_FRACTION:
            verdict.cry += 1
            verdict.heard += score >= onset_score
        elif truth.cry_fraction == 0:
            verdict.other += 1
            verdict.false += score >= onset_score
    for record in board.deviations.values():
        truth = truths.get((record.monitor, record.started_at_ms))
        if truth is not None and record.state == "ready":
            verdict = verdicts.setdefault(record.monitor, CotVerdict(truth.infant))
            _count(verdict, record, truth.drifting)
    return verdicts


def _count(verdict: CotVerdict, record: DeviationRecord, drifting: bool) -> None:
    flagged = is_deviating(record)
    if drifting:
        verdict.cries_after += 1
        verdict.flagged_after += flagged
    else:
        verdict.cries_before += 1
        verdict.flagged_before += flagged


def verdict_table(verdicts: Mapping[str, CotVerdict]) -> Table:
    """The verdicts, one cot a row, with their sum."""
    table = tight_table("What was heard, and what was so")
    table.add_column("infant", no_wrap=True)
    for column in ("cry s", "heard", "other s", "false", "flagged\nusual", "flagged\ndrifted"):
        table.add_column(column, justify="right", no_wrap=True)
    total = CotVerdict("")
    for _, verdict in sorted(verdicts.items()):
        name = f"{verdict.infant} (drifts)" if verdict.drifting else verdict.infant
        table.add_row(name, *_cells(verdict))
        for field in ("cry", "heard", "other", "false", "flagged_before", "cries_before",
                      "flagged_after", "cries_after"):  # fmt: skip
            setattr(total, field, getattr(total, field) + getattr(verdict, field))
    table.add_section()
    table.add_row("all", *_cells(total))
    return table


def _cells(verdict: CotVerdict) -> tuple[str, ...]:
    return (
        str(verdict.cry),
        _share(verdict.heard, verdict.cry),
        str(verdict.other),
        _share(verdict.false, verdict.other),
        f"{verdict.flagged_before}/{verdict.cries_before}",
        f"{verdict.flagged_after}/{verdict.cries_after}",
    )


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f}%)" if whole else "-"
