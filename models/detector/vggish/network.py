"""VGGish's network: a VGG of six convolutions and three linear layers, 128 features of a second.

Hershey et al. (2017); configuration A of VGG (Simonyan and Zisserman 2015) without its last group,
as it was released: no batch norm, a ReLU after the last layer's 128 features too.
"""

from torch import Tensor, nn

from models.detector.vggish.features import FRAMES, MELS

# Channels of the convolutions, and P for a max-pool that halves the picture.
CONVOLUTIONS = (64, "P", 128, "P", 256, 256, "P", 512, 512, "P")
HIDDEN = 4096
EMBEDDING = 128
POOLED = (FRAMES // 16, MELS // 16)


class VGGish(nn.Module):
    """VGGish's log-Mel of a second to features: `float32 [batch, 1, 96, 64]` to `[batch, 128]`.

    The released network quantizes its features after a PCA; the paper, like most, takes them as
    they leave the network.

    Args:
        width: share of the published channels and hidden units; 1.0 fits the published weights.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for item in CONVOLUTIONS:
            if item == "P":
                layers.append(nn.MaxPool2d(2))
            else:
                outputs = int(item * width)
                layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU(inplace=True)]
                channels = outputs
        hidden = int(HIDDEN * width)
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(channels * POOLED[0] * POOLED[1], hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, EMBEDDING),
            nn.ReLU(inplace=True),
        )

    def forward(self, log_mel: Tensor) -> Tensor:
        x = self.features(log_mel)
        # Frames, mels, channels: the order in which the published weights expect them.
        return self.embeddings(x.permute(0, 2, 3, 1).flatten(1))
