"""Multiply-adds are counted as one would by hand."""

import pytest

torch = pytest.importorskip("torch")

from models.detector.networks.cost import cost_of  # noqa: E402


def test_a_convolution_costs_its_kernel_for_each_pixel_it_makes():
    layer = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
    cost = cost_of(layer, torch.zeros(1, 3, 10, 10))
    assert cost.multiply_adds == 5 * 5 * 8 * (3 * 3 * 3)
    assert cost.parameters == 8 * 3 * 3 * 3


def test_groups_see_only_their_own_channels():
    layer = torch.nn.Conv2d(6, 6, 3, padding=1, groups=6)
    assert cost_of(layer, torch.zeros(1, 6, 4, 4)).multiply_adds == 4 * 4 * 6 * 9


def test_what_is_not_trained_is_no_parameter_and_counting_leaves_no_trace():
    network = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.Linear(2, 1))
    network[0].requires_grad_(False)
    for _ in range(2):
        cost = cost_of(network, torch.zeros(1, 4))
        assert (cost.parameters, cost.multiply_adds) == (3, 8 + 2)
    assert network.training
