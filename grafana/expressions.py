"""PromQL that more than one panel needs: what a cot's state is, and since when.

Each infant and monitor is shown by the worker that owns it, and that may be another one after a
hand-over: hence `max by` everywhere. While it is handed over nobody shows it.
"""

from grafana.style import CRYING_RANK, PRIORITIES
from streams.alerting.thresholds import THRESHOLDS

COT = "ward, bed, infant"


def of_cot(series: str, where: str) -> str:
    """A gauge of an infant, from whichever worker owns it."""
    return f"max by ({COT}) ({series}{{{where}}})"


def newest(series: str, where: str) -> str:
    """A gauge of an infant's last cry, from the worker that has compared the newest one.

    One that has lost its broker, and with it its infants, still shows the last cry that it knew.
    """
    at = f"vagitus_deviation_timestamp_seconds{{{where}}}"
    last = f"{at} == on ({COT}) group_left () max by ({COT}) ({at})"
    return f"max by ({COT}) ({series}{{{where}}} and on ({COT}, instance) ({last}))"


def heard(where: str) -> str:
    """When a monitor that is shown now was last heard: its new worker may not have heard it yet."""
    last = "vagitus_monitor_last_chunk_timestamp_seconds"
    known = f"max_over_time({last}{{{where}}}[{THRESHOLDS.remember_monitor}s])"
    return f"max by (monitor) ({known}) and on (monitor) {last}{{{where}}}"


def firing(severity: str, where: str) -> str:
    """The firing alerts of a severity; those of a monitor name its infant too."""
    return f'ALERTS{{alertstate="firing", severity="{severity}", {where}}}'


def priority(where: str, otherwise: str | None = None) -> str:
    """3, 2 or 1 for a cot with a firing alert of high, medium or low priority.

    Args:
        where: matchers of the cots.
        otherwise: for those without any; 0 by default.
    """
    of_infants = f'{where}, infant!=""'
    ranks = [f"{p.rank} * max by ({COT}) ({firing(p.severity, of_infants)})" for p in PRIORITIES]
    return " or ".join([*ranks, otherwise or f"0 * {of_cot('vagitus_cry_active', where)}"])


def state(where: str) -> str:
    """The priority of a cot's alarm, and without one whether its infant cries."""
    return priority(where, f"{CRYING_RANK} * {of_cot('vagitus_cry_active', where)}")


def begun(severity: str, where: str) -> str:
    """When the firing alerts of a severity began, in seconds since 1970."""
    states = f'ALERTS_FOR_STATE{{severity="{severity}", {where}}}'
    return f"{states} and ignoring (alertstate) {firing(severity, where)}"


def since(where: str) -> str:
    """Since when a cot's state (see `state`) is so, in ms since 1970."""
    of_infants = f'{where}, infant!=""'
    times = [f"min by ({COT}) ({begun(p.severity, of_infants)})" for p in PRIORITIES]
    times.append(f"({of_cot('vagitus_cry_changed_timestamp_seconds', where)} > 0)")
    times.append(of_cot("vagitus_admitted_timestamp_seconds", where))
    return f"1000 * ({' or '.join(times)})"


def quantiles(histogram: str, by: str = "") -> dict[str, str]:
    """The median, 95 and 99 percent of a histogram, by name."""
    labels = ", ".join(filter(None, ("le", by)))
    rate = f"sum by ({labels}) (rate({histogram}_bucket[$__rate_interval]))"
    return {
        name: f"histogram_quantile({share}, {rate})"
        for name, share in (("median", 0.5), ("p95", 0.95), ("p99", 0.99))
    }
