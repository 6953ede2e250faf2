"""What the infant's dashboard asks the timeline's tables, `cries` and `acts`.

Written for PostgreSQL, the store that a Grafana elsewhere can reach. `$__unixEpochFrom()` and
`$__unixEpochTo()` are the time in sight, `${__timezone}` the reader's time zone.
"""

from grafana.parts import Sql
from models.deviation.gate import DEVIANT_BELOW_P, Reason

OWN = ", ".join(f"'{reason.value}'" for reason in Reason if reason.is_own_cry)
IN_SIGHT = "BETWEEN $__unixEpochFrom() * 1000::bigint AND $__unixEpochTo() * 1000::bigint"
FROM_CRIES = f"FROM cries WHERE infant = ${{infant:sqlstring}} AND started_at_ms {IN_SIGHT}"
LAST_ROWS = 100


def _moment(column: str = "started_at_ms") -> str:
    return f"to_timestamp({column} / 1000.0)"


def _begin(unit: str) -> str:
    zone = "'${__timezone}'"
    return f"date_trunc('{unit}', {_moment()} AT TIME ZONE {zone}) AT TIME ZONE {zone}"


def _gate(unit: str) -> Sql:
    return Sql(
        f"SELECT {_begin(unit)} AS time, gate || ': ' || replace(reason, '_', ' ') AS metric, "
        f"count(*) AS cries {FROM_CRIES} GROUP BY 1, 2 ORDER BY 1"
    )


GATE_BY_HOUR, GATE_BY_DAY = _gate("hour"), _gate("day")

MINUTES_EACH_HOUR = Sql(
    f"SELECT {_begin('hour')} AS time, sum(seconds) / 60 AS crying {FROM_CRIES} "
    "GROUP BY 1 ORDER BY 1"
)

# The marks of `streams.timeline.figures.Mark`.
_UNUSUAL = f"coalesce(p_value < {DEVIANT_BELOW_P:g}, false) AND reason IN ({OWN})"
EVERY_CRY = Sql(
    f"SELECT {_moment()} AS time, "
    f"CASE WHEN gate = 'accepted' AND NOT ({_UNUSUAL}) THEN sigma END AS learned, "
    f"CASE WHEN {_UNUSUAL} THEN sigma END AS unusual, "
    f"CASE WHEN gate = 'held' AND NOT ({_UNUSUAL}) THEN sigma END AS held, "
    f"CASE WHEN gate = 'refused' AND NOT ({_UNUSUAL}) THEN sigma END AS refused "
    f"{FROM_CRIES} AND sigma IS NOT NULL ORDER BY 1"
)

BAND_BY_DAY = Sql(
    f"SELECT {_begin('day')} AS time, "
    + ", ".join(
        f'percentile_cont({share}) WITHIN GROUP (ORDER BY sigma) AS "{name}"'
        for name, share in (("one in ten below", 0.1), ("median", 0.5), ("one in ten above", 0.9))
    )
    + f" {FROM_CRIES} AND sigma IS NOT NULL AND reason IN ({OWN}) GROUP BY 1 ORDER BY 1"
)

DRIFT_BY_DAY = Sql(
    f"SELECT {_begin('day')} AS time, avg(drift_sigma) AS drift {FROM_CRIES} "
    "AND drift_sigma IS NOT NULL GROUP BY 1 ORDER BY 1"
)

_HOUR = f"extract(hour FROM {_moment()} AT TIME ZONE '${{__timezone}}')"
_LAST_DAY = "started_at_ms > ($__unixEpochTo() - 86400) * 1000::bigint"
# Days without a cry count, days before the first one do not.
_DAYS = "greatest(1, ($__unixEpochTo() - min(started_at_ms) OVER () / 1000) / 86400.0)"
MINUTES_BY_HOUR = Sql(
    f"WITH heard AS (SELECT {_HOUR} AS hour, seconds / 60 AS minutes, {_LAST_DAY} AS lately, "
    f"{_DAYS} AS days {FROM_CRIES}) "
    "SELECT lpad(hours.hour::text, 2, '0') AS hour, "
    'coalesce(sum(minutes / days), 0) AS "a usual day", '
    'coalesce(sum(minutes) FILTER (WHERE lately), 0) AS "the last 24 h" '
    "FROM generate_series(0, 23) AS hours (hour) LEFT JOIN heard ON heard.hour = hours.hour "
    "GROUP BY hours.hour ORDER BY hours.hour",
    series=False,
)

CRIES = Sql(
    f'SELECT {_moment()} AS "Began", seconds AS "Seconds", sigma AS "σ", p_value AS "p-value", '
    f'drift_sigma AS "Drift", gate AS "Gate", replace(reason, \'_\', \' \') AS "Why", '
    f'monitor AS "Monitor" {FROM_CRIES} ORDER BY started_at_ms DESC LIMIT {LAST_ROWS}',
    series=False,
)

# What concerns a whole ward, as quiet hours do, concerns its infants.
_FROM_ACTS = (
    "FROM acts WHERE (infant = ${infant:sqlstring} OR "
    "infant = '' AND ward = ${ward:sqlstring} AND bed = '') "
    f"AND at_ms {IN_SIGHT}"
)
ACTS = Sql(
    f'SELECT {_moment("at_ms")} AS "When", replace(what, \'_\', \' \') AS "What", who AS "Who", '
    f'remark AS "Why", outcome AS "Outcome" {_FROM_ACTS} ORDER BY at_ms DESC LIMIT {LAST_ROWS}',
    series=False,
)
ACT_MARKS = (
    "SELECT at_ms AS time, until_ms AS timeend, replace(what, '_', ' ') AS title, "
    f"remark AS text, who AS tags {_FROM_ACTS}"
)
