"""How false alerts are measured: a ward is heard as the stream hears it, and kept as it was."""

import pytest

from bench.alarms import DAY_SECONDS, Plan, at_most, cries, measure, summary
from streams.app import Models
from streams.settings import Settings

PLAN = Plan(monitors=2, seconds=120, seed=7, cry_fraction=0.3)


@pytest.fixture(scope="module")
def models() -> Models:
    return Models.load(Settings())


def test_a_ward_is_counted_alike_from_its_sound_and_from_its_kept_cries(tmp_path, models):
    heard = list(cries(PLAN, models, Settings(), None))
    kept = [list(cries(PLAN, models, Settings(), tmp_path)) for _ in range(2)]
    assert len(heard) > 4
    for again in kept:
        assert [cry.encode() for cry in again] == [cry.encode() for cry in heard]
    (file,) = tmp_path.iterdir()
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:3]))
    assert measure(PLAN, tmp_path)["usual"] == 3


def test_another_ward_is_not_taken_for_a_kept_one(tmp_path, models):
    for plan in (PLAN, Plan(2, 120, 8, 0.3), Plan(2, 60, 7, 0.3), Plan(2, 120, 7, 0.3, 60)):
        list(cries(plan, models, Settings(), tmp_path))
    assert len(list(tmp_path.iterdir())) == 4


def test_cries_of_a_changed_voice_are_not_counted_among_the_usual_ones():
    count = measure(Plan(2, 120, 7, 0.3, drift_at_seconds=0))
    assert count["changed"] > 0
    assert count["usual"] > 0


def test_the_bound_is_the_exact_one():
    assert at_most(0, 6.0) == pytest.approx(3.0 / 6.0, abs=0.002)  # the rule of three
    assert at_most(2, 1.0) == pytest.approx(6.296, abs=0.001)  # Garwood's interval


def test_the_summary_says_events_days_and_the_bound():
    days = Plan(12, DAY_SECONDS, 0).days
    count = {"usual": 200, "unusual": 24, "strange": 10, "InfantDeviating": 6, "InfantDrifting": 0}
    line = summary(count, days)
    usual = "200 cries of usual voices, of which 12.0% under p = 0.05 and 5.0% under 0.01"
    assert line.startswith(f"12.0 patient-days, {usual}")
    assert "InfantDeviating 6 (0.50 a day, with 95% at most 0.99)" in line
    assert "InfantDrifting 0 (0.00 a day, with 95% at most 0.25)" in line
