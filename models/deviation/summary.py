"""A baseline in figures that people can read: how far it is, what it calls unusual."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """One infant's baseline at a glance; sigmas are within-infant standard deviations.

    state: `learning` or `ready`; version: what scores.
    accepted: cries learned from; ready_after: as many as it is ready with.
    waiting: cries held back that may yet be learned from.
    calibration_cries: own scores behind a p-value; the ward's stand in for the rest.
    deviant_below_p: p-values below are called unusual; deviant_sigma: what that now is in sigma
        for this infant, None while nothing is scored.
    spread: variance of this infant's cries, 1 being the ward's.
    adaptive_cries: how many cries the adaptive reference remembers.
    reference_cries: how many the admission reference is taken from; reference_taken: whether it is.
    apart_sigma: how far the adaptive reference has moved from the admission's, less what their own
        uncertainty adds; None without an admission reference.
    drift_sigma, drifting: as in `Deviation`; drift_sum: the CUSUM, said to be drift at drift_limit.
    """

    state: str
    version: str
    accepted: int
    ready_after: int
    waiting: int
    calibration_cries: int
    deviant_below_p: float
    deviant_sigma: float | None
    spread: float
    adaptive_cries: int
    reference_cries: int
    reference_taken: bool
    apart_sigma: float | None
    drift_sigma: float | None
    drifting: bool
    drift_sum: float
    drift_limit: float
