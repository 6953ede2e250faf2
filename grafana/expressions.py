"""PromQL that more than one panel needs: what a cot's state is, and since when.

Every worker exports the series of every admission, the real values come from the one that hears
the monitor: hence `max by` everywhere.
"""

from grafana.style import CRYING_RANK, PRIORITIES

COT = "ward, bed, infant"


def of_cot(series: str, where: str) -> str:
    """A gauge of an infant, from whichever worker has something to say."""
    return f"max by ({COT}) ({series}{{{where}}})"


def newest(series: str, where: str) -> str:
    """A gauge of an infant's last cry, from the worker that has compared the newest one.

    Who has given an infant away to another worker may still show the last cry that it knew.
    """
    at = f"vagitus_deviation_timestamp_seconds{{{where}}}"
    last = f"{at} == on ({COT}) group_left () max by ({COT}) ({at})"
    return f"max by ({COT}) ({series}{{{where}}} and on ({COT}, instance) ({last}))"


def learned(where: str) -> str:
    """How many cries an infant's baseline stands on; 0 before its first cry."""
    known = "vagitus_baseline_segments"
    return f"{newest(known, where)} or {of_cot(known, where)}"


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
