"""river's local outlier factor over an infant's cries."""

from __future__ import annotations

from river.anomaly import LocalOutlierFactor as RiverFactor

from models.deviation.detectors.incremental import RiverDetector

# Of six cries more neighbours would be all of them.
NEIGHBOURS = 3


class LocalOutlierFactor(RiverDetector):
    """How much sparser it is round a cry than round its nearest kept cries; usual is about 1.

    A score takes the distances between the neighbours of neighbours, so it is ever slower with
    every kept cry: some fifty times any other's here when all are kept.

    References
    ----------
    Breunig et al., "LOF: identifying density-based local outliers", 2000.
    """

    def _new(self) -> RiverFactor:
        return RiverFactor(n_neighbors=NEIGHBOURS)
