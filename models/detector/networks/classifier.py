"""The standalone classifier: one second of sound by itself, cry or not."""

from torch import Tensor, nn

from models.detector.networks.layers import FEATURE_SIZE


class SecondClassifier(nn.Module):
    """A backbone and one linear layer: `[batch, 1, 64, 64]` to the logit of a cry, `[batch]`.

    Args:
        backbone: log-Mel `[batch, 1, 64, 64]` to features `[batch, 256]`.
        dropout: of the features, while training.
    """

    def __init__(self, backbone: nn.Module, dropout: float = 0.2) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(FEATURE_SIZE, 1))

    def forward(self, log_mel: Tensor) -> Tensor:
        return self.head(self.backbone(log_mel)).squeeze(1)
