"""The network over a bag: refined features, their magnitudes, and a score of each instance."""

from torch import Tensor, nn

from models.detector.mil.losses import Bags
from models.detector.mil.temporal import REFINEMENTS

# RTFM has 512 and 128 for 2,048 features; ours are 256, as Tan, Yao and Liu (2023) adjust them.
HIDDEN = (128, 32)
DROPOUT = 0.7  # as RTFM; bags are few


class BagNetwork(nn.Module):
    """Features of the instances of bags to their scores and magnitudes.

    `float32 [batch, T, size]` to `Bags` of `[batch, T]`. T may be another in each call: trained on
    bags of T instances, it scores the seconds of a recording as they are.

    Args:
        size: of an instance's features.
        refinement: `multi-scale` or `plain`.

    Raises:
        ValueError: there is no such refinement.
    """

    def __init__(self, size: int, refinement: str = "multi-scale") -> None:
        super().__init__()
        if refinement not in REFINEMENTS:
            raise ValueError(f"no refinement {refinement!r}; there are {', '.join(REFINEMENTS)}")
        self.size = size
        self.refinement = REFINEMENTS[refinement](size)
        self.dropout = nn.Dropout(DROPOUT)
        wide, narrow = HIDDEN
        self.classifier = nn.Sequential(
            nn.Linear(size, wide),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(wide, narrow),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(narrow, 1),
            nn.Sigmoid(),
        )

    def forward(self, instances: Tensor) -> Bags:
        refined = self.refinement(instances)
        # Magnitudes choose instances, so they are taken before anything is dropped.
        return Bags(self.classifier(self.dropout(refined)).squeeze(2), refined.norm(dim=2))
