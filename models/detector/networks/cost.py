"""What a network costs: its parameters and its multiply-adds, counted while it runs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Cost:
    """Of one forward pass.

    Attributes:
        parameters: that are trained.
        multiply_adds: of convolutions and linear layers, as the papers of light networks count;
            what batch norms, activations and pooling add is not counted.
    """

    parameters: int
    multiply_adds: int


def cost_of(network: nn.Module, example: Tensor) -> Cost:
    """The cost of `network(example)`; of a batch of one, that is of one second."""
    counted = 0

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal counted
        # Each output value is a sum over one filter's weights.
        counted += output.numel() * layer.weight[0].numel()

    layers = [m for m in network.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    was_training = network.training
    try:
        with torch.inference_mode():
            network.eval()(example)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return Cost(sum(p.numel() for p in network.parameters() if p.requires_grad), counted)
