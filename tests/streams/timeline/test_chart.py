"""The timeline in the terminal."""

from dataclasses import replace
from datetime import UTC

import pytest
from rich.console import Console

from streams.timeline.chart import ROWS, chart
from tests.streams.timeline.days import DAY, RESET, a_week, deviant, learning
from tests.streams.ward import deviation


def drawn(cries, acts=(), width=80) -> list[str]:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(chart(cries, acts, width, UTC))
    return captured.get().splitlines()


def lane(lines: list[str], name: str) -> str:
    (line,) = [line for line in lines if line.startswith(name)]
    return line[8:]


def test_cries_stand_where_and_when_they_were():
    lines = drawn([deviation(0, sigma=0.0), deviant(DAY), deviation(2 * DAY, sigma=0.0)])
    plot = [line[8:] for line in lines if line[7:8] in ("┤", "│")]
    assert len(plot) == ROWS
    (above,) = [number for number, line in enumerate(plot) if "▲" in line]
    (below,) = [number for number, line in enumerate(plot) if "●" in line]
    # From +5σ down to -3σ in twelve rows.
    assert (above, below) == (1, 7)
    assert plot[above].index("▲") == 36
    assert (plot[below][0], plot[below][-1]) == ("●", "●")


def test_the_bands_are_labelled():
    labels = [line[:7].strip() for line in drawn([deviation(0)])]
    assert [label for label in labels if label.endswith(("σ", "0"))] == [
        "+4σ", "+2.3σ", "+2σ", "0", "-2σ", "-3σ",
    ]  # fmt: skip


def test_drift_minutes_and_acts_have_lanes_of_their_own():
    lines = drawn(a_week(), [RESET])
    drift = lane(lines, "drift")
    assert (drift.index("━"), drift.rindex("━")) == (4 * 72 // 6, 71)
    assert lane(lines, "staff").index("◆") == 2 * 72 // 6
    minutes = lane(lines, "cry min")
    assert minutes[24] == "█"  # the longest
    assert minutes[1:24].strip() == ""
    assert any("baseline_reset, nurse-4: <new> lamp" in line for line in lines)


def test_the_decisions_are_counted_and_the_days_listed():
    lines = drawn(a_week(), width=120)
    (gate,) = [line for line in lines if line.startswith("Gate: ")]
    assert "accepted 3 (normal)" in gate
    assert "refused 1 (too_noisy)" in gate
    (day,) = [line for line in lines if line.startswith("Sat 18 Nov")]
    assert day.split()[3:] == ["1", "0.1", "+4.2σ", "1", "1.5σ"]


@pytest.mark.parametrize("cries", [[deviation(0)], [learning(0)], [learning(0), learning(0)]])
@pytest.mark.parametrize("width", [40, 200])
def test_few_cries_can_be_drawn_on_any_width(cries, width):
    lines = drawn(cries, width=width)
    assert max(map(len, lines)) <= width


def test_only_the_last_days_are_listed_and_that_is_said():
    lines = drawn([deviation(DAY * day) for day in range(40)])
    assert "26 earlier ones are only in the plot" in "\n".join(lines)


def test_what_came_of_an_act_follows_it():
    carried_out = replace(RESET, outcome="begins anew; 9 cries let go")
    last = drawn(a_week(), [RESET, carried_out], width=120)[-2:]
    assert last[0].endswith("baseline_reset, nurse-4: <new> lamp")
    assert last[1].endswith("baseline_reset, nurse-4: <new> lamp → begins anew; 9 cries let go")
