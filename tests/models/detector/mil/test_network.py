"""The network scores bags of any size, and its temporal block sees the neighbours."""

import pytest

torch = pytest.importorskip("torch")

from models.detector.mil.network import BagNetwork  # noqa: E402
from models.detector.mil.temporal import MultiScale, NonLocal, Plain  # noqa: E402


@pytest.mark.parametrize("refinement", ["multi-scale", "plain"])
@pytest.mark.parametrize(("instances", "size"), [(1, 256), (5, 256), (16, 128)])
def test_every_instance_gets_a_score_and_a_magnitude(refinement, instances, size):
    bags = BagNetwork(size, refinement).eval()(torch.randn(3, instances, size))
    assert bags.scores.shape == bags.magnitudes.shape == (3, instances)
    assert ((bags.scores > 0) & (bags.scores < 1)).all()
    assert (bags.magnitudes > 0).all()


def changed_places(block: torch.nn.Module) -> list[int]:
    """Where a change of instance 8 of 17 is seen."""
    torch.manual_seed(0)
    bags = torch.randn(1, 17, 16)
    other = bags.clone()
    other[0, 8] += 5
    with torch.inference_mode():
        difference = (block.eval()(other) - block(bags)).abs().amax(dim=2)[0]
    return (difference > 1e-6).nonzero().flatten().tolist()


def test_plain_layers_see_one_instance_by_itself():
    assert changed_places(Plain(16)) == [8]


def test_dilated_convolutions_see_four_instances_away_and_the_join_one_more():
    # The non-local block begins as the identity, so it adds nothing yet.
    places = changed_places(MultiScale(16))
    assert (min(places), max(places)) == (8 - 5, 8 + 5)


def test_the_non_local_block_sees_the_whole_bag_once_it_has_learnt():
    block = MultiScale(16)
    torch.nn.init.ones_(block.non_local.out[1].weight)
    assert changed_places(block) == list(range(17))


def test_the_non_local_block_begins_as_the_identity():
    x = torch.randn(2, 8, 5)
    torch.testing.assert_close(NonLocal(8).eval()(x), x)


def test_the_network_learns_magnitudes():
    network = BagNetwork(16)
    network(torch.randn(4, 5, 16)).magnitudes.sum().backward()
    assert all(weight.grad is not None for weight in network.refinement.parameters())


def test_an_unknown_refinement_is_named():
    with pytest.raises(ValueError, match="no refinement 'bert'; there are multi-scale, plain"):
        BagNetwork(256, "bert")
