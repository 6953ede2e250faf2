"""river's half-space trees over an infant's cries."""

from __future__ import annotations

from river.anomaly import HalfSpaceTrees as RiverTrees

from models.deviation.detectors.incremental import RiverDetector

# river's window is 250 cries: a week. Until one window is full every score is 0.
WINDOW_CRIES = 6
TREES, HEIGHT = 15, 8
# Trees cut the range of a feature in halves, so the range has to be told: four times the usual
# size of a component, which is 1 / sqrt(size) of a unit vector. Beyond it all is one leaf.
RANGE_DEVIATIONS = 4.0
SEED = 0


class HalfSpaceTrees(RiverDetector):
    """How few of an infant's cries fell where this one falls, in random trees.

    The weakest here: each tree cuts eight of 192 features, of which each says next to nothing.
    Scores lie in 0 to 1 and are 0 until the first window is full. To river's trees a feature that
    is not a number looks usual; here it is refused before them.

    References
    ----------
    Tan, Ting & Liu, "Fast anomaly detection for streaming data", 2011.
    """

    def _new(self) -> RiverTrees:
        size = self.population.size
        scale = (self.population.between + 1.0) ** 0.5 if self.whitened else [size**-0.5] * size
        limits = {
            feature: (-RANGE_DEVIATIONS * float(width), RANGE_DEVIATIONS * float(width))
            for feature, width in enumerate(scale)
        }
        return RiverTrees(
            n_trees=TREES, height=HEIGHT, window_size=WINDOW_CRIES, limits=limits, seed=SEED
        )
