"""`deviations`: how unusual one cry was for its infant, and what was decided. Key: infant."""

from dataclasses import dataclass

from streams.records.jsons import JsonRecord


@dataclass(frozen=True, slots=True)
class DeviationRecord(JsonRecord):
    """One row of an infant's timeline.

    Attributes:
        id: segment and baseline version, so that a replay writes the same row.
        segment_id: the cry.
        infant: pseudonym; empty where the monitor has no admission.
        ward: where.
        bed: where.
        monitor: which monitor heard it.
        started_at_ms: when the cry began, ms since 1970 UTC.
        seconds: how long it lasted.
        state: `learning`, `ready` or, without an admission, `unassigned`.
        sigma: how far from this infant's usual cry, in standard deviations; None if unknown.
        p_value: conformal p-value in (0, 1], small is unusual; None if unknown.
        drift_sigma: how far the recent cries are from the admission reference; None if unknown.
        drifting: whether that has been so for long enough to be said.
        gate: `accepted` into the baseline, `refused`, or `held` back: it may be learned from once
            usual cries have followed.
        reason: why.
        baseline_segments: how many cries the baseline has learned from.
        baseline_version: what scored it.
    """

    id: str
    segment_id: str
    infant: str
    ward: str
    bed: str
    monitor: str
    started_at_ms: int
    seconds: float
    state: str
    sigma: float | None
    p_value: float | None
    drift_sigma: float | None
    drifting: bool
    gate: str
    reason: str
    baseline_segments: int
    baseline_version: str
