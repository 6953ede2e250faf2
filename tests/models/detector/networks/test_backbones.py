"""The backbones are those of their papers, each with 256 features of a second."""

import pytest

torch = pytest.importorskip("torch")

from models.detector.networks import BACKBONES, backbone  # noqa: E402
from models.detector.networks.classifier import SecondClassifier  # noqa: E402
from models.detector.networks.context import ContextHead  # noqa: E402
from models.detector.networks.cost import cost_of  # noqa: E402
from models.detector.networks.mobilenet import InvertedResidual  # noqa: E402
from models.detector.networks.resnet import BasicBlock  # noqa: E402
from models.detector.networks.shufflenet import ShuffleUnit  # noqa: E402
from models.detector.networks.squeezenet import Fire  # noqa: E402

SECOND = torch.zeros(1, 1, 64, 64)


@pytest.mark.parametrize("name", BACKBONES)
def test_a_spectrogram_becomes_256_features(name):
    log_mel = torch.randn(2, 1, 64, 64) * 20 - 25
    features = backbone(name)(log_mel)  # in training, where a batch norm knows its batch
    assert features.shape == (2, 256)
    assert features.std() > 1e-3  # sound comes through all layers of an untrained network


@pytest.mark.parametrize("name", BACKBONES)
def test_every_weight_learns(name):
    network = backbone(name)
    network(torch.randn(4, 1, 64, 64) * 20 - 25).square().sum().backward()
    still = [key for key, weight in network.named_parameters() if weight.grad is None]
    assert not still


# Of the published networks for 1000 classes, less the classifier and the layer before it, plus
# the layer of 256 features, with one input channel where they have three.
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        # 1,366,792 - 1,025,000 (classes) - 198,656 (1024 channels) + 49,664 (256) - 432 (input)
        ("shufflenet-0.5", 192_368),
        ("shufflenet-1.0", 2_278_604 - 1_025_000 - 464 * 1024 - 2048 + 464 * 256 + 512 - 432),
        ("shufflenet-1.5", 3_503_624 - 1_025_000 - 704 * 1024 - 2048 + 704 * 256 + 512 - 432),
        ("shufflenet-2.0", 7_393_996 - 2_049_000 - 976 * 2048 - 4096 + 976 * 256 + 512 - 432),
        ("mobilenet", 3_504_872 - 1_281_000 - 320 * 1280 - 2560 + 320 * 256 + 512 - 576),
        ("squeezenet", 1_235_496 - 513_000 + 512 * 256 + 256 - 1152),
        ("resnet", 11_689_512 - 513_000 + 512 * 256 + 512 - 6272),
    ],
)
def test_the_sizes_are_those_of_the_papers(name, parameters):
    assert cost_of(backbone(name), SECOND).parameters == parameters


def test_an_unknown_backbone_is_named():
    with pytest.raises(ValueError, match=r"no backbone 'vgg'; there are shufflenet-0\.5"):
        backbone("vgg")


def test_a_shuffle_unit_of_stride_2_halves_the_picture():
    x = torch.randn(2, 24, 16, 16)
    assert ShuffleUnit(24, 48, stride=2).eval()(x).shape == (2, 48, 8, 8)


def test_a_shuffle_unit_of_stride_1_passes_half_of_the_channels_and_interleaves_them():
    x = torch.randn(2, 48, 8, 8)
    out = ShuffleUnit(48, 48, stride=1).eval()(x)
    assert out.shape == x.shape
    torch.testing.assert_close(out[:, 0::2], x[:, :24])


def test_an_inverted_residual_adds_its_input_only_where_it_fits():
    x = torch.randn(2, 16, 8, 8)
    same = InvertedResidual(16, 16, 1, 6).eval()
    torch.testing.assert_close(same(x) - same.layers(x), x)
    wider = InvertedResidual(16, 24, 2, 6).eval()
    assert wider(x).shape == (2, 24, 4, 4)


def test_a_fire_expands_half_by_each_kernel():
    fire = Fire(64, 16, 128).eval()
    assert fire(torch.randn(2, 64, 8, 8)).shape == (2, 128, 8, 8)
    assert fire.expand_1x1.out_channels == fire.expand_3x3.out_channels == 64


def test_a_basic_block_changes_its_shortcut_with_its_stride():
    x = torch.randn(2, 64, 8, 8)
    assert BasicBlock(64, 128, 2).eval()(x).shape == (2, 128, 4, 4)
    assert isinstance(BasicBlock(64, 64, 1).shortcut, torch.nn.Identity)


def test_the_classifier_gives_one_logit_a_second():
    classifier = SecondClassifier(backbone("shufflenet-0.5")).eval()
    assert classifier(torch.zeros(3, 1, 64, 64)).shape == (3,)


def test_the_head_looks_at_every_second_of_its_window():
    head = ContextHead(5).eval()
    windows = torch.randn(1, 5, 256)
    for second in range(5):
        changed = windows.clone()
        changed[0, second] += 10 * torch.randn(256)
        assert abs((head(changed) - head(windows)).item()) > 1e-4
