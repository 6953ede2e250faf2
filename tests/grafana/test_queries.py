"""Variables and macros are filled in as Grafana fills them in."""

from dataclasses import replace

import pytest

from grafana.queries import Asked, View, asked

PROMQL = Asked("uid", "panel", "A", "", "prometheus", instant=False)
SQL = Asked("uid", "panel", "A", "", "timeline", instant=False)
VIEW = View(1000.0, 4600.0, {"ward": "nicu", "monitor": ["mon-1", "mon.2"], "infant": "o'hara"})


def filled(query: Asked, text: str, view: View = VIEW) -> str:
    return view.fill(replace(query, text=text))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ('x{ward="$ward"}', 'x{ward="nicu"}'),
        ('x{ward=~"${ward}|"}', 'x{ward=~"nicu|"}'),
        ('x{monitor=~"$monitor"}', 'x{monitor=~"(mon-1|mon\\\\.2)"}'),
        ("rate(x[$__rate_interval])", "rate(x[20s])"),
        ("resets(x[$__interval])", "resets(x[6s])"),
    ],
)
def test_promql(text, sent):
    assert filled(PROMQL, text) == sent


def test_a_quote_in_a_name_does_not_end_the_statement():
    assert filled(SQL, "infant = ${infant:sqlstring}") == "infant = 'o''hara'"


def test_sql_knows_the_time_in_sight_and_the_readers_zone():
    text = "at BETWEEN $__unixEpochFrom() AND $__unixEpochTo() AT TIME ZONE '${__timezone}'"
    assert filled(SQL, text) == "at BETWEEN 1000 AND 4600 AT TIME ZONE 'utc'"


def test_a_long_time_has_wide_steps_and_a_panel_may_want_wider_ones():
    month = View(0.0, 30 * 86400.0, {})
    assert month.step(PROMQL) == 4320
    assert filled(PROMQL, "rate(x[$__rate_interval])", month) == "rate(x[4325s])"
    assert VIEW.step(replace(PROMQL, least_step=3600.0)) == 3600


def test_a_panel_may_always_show_the_last_days():
    weeks = replace(SQL, last=86400.0)
    assert VIEW.begin_of(weeks) == 4600 - 86400
    assert filled(weeks, "at > $__unixEpochFrom()") == f"at > {4600 - 86400}"


def test_a_variable_that_the_dashboard_does_not_have_is_an_error():
    with pytest.raises(KeyError, match="cot"):
        filled(PROMQL, 'x{bed="$cot"}')


def test_queries_are_those_of_panels_and_annotations():
    page = {
        "uid": "u",
        "panels": [
            {"title": "row"},
            {
                "title": "p",
                "interval": "1h",
                "repeat": "bed",
                "targets": [{"refId": "A", "expr": "x", "instant": True}],
            },
            {
                "title": "s",
                "timeFrom": "2d",
                "targets": [{"refId": "A", "rawSql": "SELECT 1"}],
            },
        ],
        "annotations": {
            "list": [{"name": "a", "expr": "y"}, {"name": "b", "target": {"rawSql": "z"}}]
        },
    }
    assert list(asked(page)) == [
        Asked("u", "p", "A", "x", "prometheus", True, 3600.0, repeat="bed"),
        Asked("u", "s", "A", "SELECT 1", "timeline", False, last=172800.0),
        Asked("u", "a", "Anno", "y", "prometheus", False, annotation=True),
        Asked("u", "b", "Anno", "z", "timeline", False, annotation=True),
    ]
