"""The network keeps its shapes, and its pooling answers to what it should."""

import pytest

torch = pytest.importorskip("torch")

from models.identity.network import (  # noqa: E402
    PAPER_LAYOUT,
    AttentiveStatisticsPooling,
    EcapaTdnn,
    Layout,
    Res2Block,
    SERes2Block,
    SqueezeExcitation,
)

NARROW = Layout(channels=(16, 16, 24), kernel_sizes=(5, 3, 3), dilations=(1, 2, 3))


@pytest.mark.parametrize("frames", [16, 51, 400])
def test_one_embedding_a_clip_whatever_its_length(frames):
    network = EcapaTdnn(NARROW).eval()
    assert network(torch.randn(3, frames, 80)).shape == (3, 192)


def test_default_layout_is_the_small_one():
    assert 2.1e6 < sum(p.numel() for p in EcapaTdnn().parameters()) < 2.3e6


def test_paper_layout_has_the_size_that_the_paper_gives():
    # Desplanques 2020, table 1: 6.2 M parameters at C = 512.
    assert 5.9e6 < sum(p.numel() for p in EcapaTdnn(PAPER_LAYOUT).parameters()) < 6.4e6


def test_blocks_keep_batch_and_frames():
    x = torch.randn(2, 16, 40)
    assert Res2Block(16, 3, 2)(x).shape == (2, 16, 40)
    assert SqueezeExcitation(16)(x).shape == (2, 16, 40)
    assert SERes2Block(16, 24, 3, 2)(x).shape == (2, 24, 40)
    assert AttentiveStatisticsPooling(16)(x).shape == (2, 32, 1)


def test_first_res2_group_passes_untouched_and_later_ones_hear_earlier_ones():
    torch.manual_seed(0)
    block = Res2Block(16, 3, 1).eval()
    x = torch.randn(1, 16, 40)
    louder = x.clone()
    louder[:, 2:4] += 1
    before, after = block(x), block(louder)
    assert torch.equal(before[:, :2], x[:, :2])
    assert not torch.allclose(before[:, 14:], after[:, 14:])


def test_pooled_statistics_of_a_constant_are_itself_and_nothing():
    pooled = AttentiveStatisticsPooling(4).eval()(torch.full((1, 4, 30), 2.5))
    assert torch.allclose(pooled[0, :4], torch.tensor(2.5))
    assert pooled[0, 4:].abs().max() < 1e-5


class Mute(torch.nn.Module):
    def forward(self, x):
        return torch.zeros_like(x)


def test_an_earlier_block_is_heard_past_a_mute_later_one():
    network = EcapaTdnn(Layout((16, 16, 16, 24), (5, 3, 3, 1), (1, 2, 3, 1))).eval()
    network.blocks[2] = Mute()
    one, two = network(torch.randn(1, 30, 80)), network(torch.randn(1, 30, 80))
    assert not torch.allclose(one, two)
    assert network.mfa.conv.conv.weight.shape == (24, 32, 1)


def test_frozen_layers_get_no_gradient_and_the_others_do():
    network = EcapaTdnn(NARROW)
    network.freeze_lower(1)
    network(torch.randn(2, 30, 80)).sum().backward()
    assert all(p.grad is None for p in network.blocks[0].parameters())
    assert all(p.grad is not None for p in network.blocks[1].parameters())


def test_a_layout_that_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="same length"):
        Layout(channels=(16, 16), kernel_sizes=(5, 3), dilations=(1, 2))
    with pytest.raises(ValueError, match="equal groups"):
        Res2Block(12, 3, 1)
    with pytest.raises(ValueError, match="2 lower layers"):
        EcapaTdnn(NARROW).freeze_lower(3)
