"""Matrices that move by orthogonal ones: torch's own Muon is the truth, which multiplies in half precision."""

import numpy as np
import pytest
import torch
from torch import nn

from scansion.layers.orthogonal import move_orthogonally, orthogonal_parts
from scansion.learning.muon import orthogonal
from scansion.learning.optimizer import Optimizer

DECAY, RATES = 0.1, (0.02, 0.01, 0.005)
SHAPES = {"wide": (12, 40), "tall": (40, 12), "square": (16, 16)}


class Layers(nn.Module):
    """Three matrices that move so, a bias and a matrix that do not."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleDict({name: nn.Linear(*shape[::-1], bias=False) for name, shape in SHAPES.items()})
        self.head = nn.Linear(8, 5)
        for layer in self.layers.values():
            move_orthogonally(layer.weight)

    def loss(self, step: int) -> torch.Tensor:
        random = torch.Generator().manual_seed(step)
        parts = [torch.randn(20, each.in_features, generator=random) for each in (*self.layers.values(), self.head)]
        return sum(layer(part).square().sum() for layer, part in
                   zip((*self.layers.values(), self.head), parts, strict=True))  # fmt: skip


def trained(model: Layers, zero, step) -> Layers:
    for number, rate in enumerate(RATES):
        zero()
        model.loss(number).backward()
        step(rate)
    return model


def test_matrices_move_as_torchs_own_muon_moves_them_and_the_others_as_adamw_does():
    mine, theirs = Layers(), Layers()
    optimizer = Optimizer(mine, DECAY, 1e9)
    trained(mine, optimizer.zero_grad, optimizer.step)
    muon = torch.optim.Muon(theirs.layers.parameters(), weight_decay=DECAY, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW([
        {"params": [theirs.head.weight], "weight_decay": DECAY}, {"params": [theirs.head.bias], "weight_decay": 0.0},
    ])

    def step(rate):
        for each in (muon, adamw):
            for group in each.param_groups:
                group["lr"] = rate
            each.step()

    trained(theirs, theirs.zero_grad, step)
    for (name, first), second in zip(mine.named_parameters(), theirs.parameters(), strict=True):
        moved = (second - dict(Layers().named_parameters())[name]).abs().mean()
        assert (first - second).abs().mean() < (0.03 if name.startswith("layers") else 1e-3) * moved, name


@pytest.mark.parametrize("shape", SHAPES.values())
def test_a_step_has_the_directions_of_the_gradient_and_no_lengths(shape):
    matrix = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))
    found, (left, _, right) = orthogonal(matrix), torch.linalg.svd(matrix, full_matrices=False)
    assert found.shape == matrix.shape
    mixed = left.mT @ found @ right.mT
    sizes = torch.diagonal(mixed, dim1=1, dim2=2)
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3
    assert (mixed - torch.diag_embed(sizes)).abs().max() < 0.01


def test_matrices_that_stand_one_below_the_other_move_each_for_itself():
    both, apart = nn.Linear(16, 32, bias=False), [nn.Linear(16, 16, bias=False) for _ in range(2)]
    move_orthogonally(both.weight, 2)
    for layer, part in zip(apart, both.weight.detach().chunk(2), strict=True):
        layer.weight.data.copy_(part)
        move_orthogonally(layer.weight)
    gradient = torch.randn(32, 16, generator=torch.Generator().manual_seed(2))
    first, second = Optimizer(both, DECAY, 1e9), Optimizer(nn.ModuleList(apart), DECAY, 1e9)
    both.weight.grad.copy_(gradient)
    for layer, part in zip(apart, gradient.chunk(2), strict=True):
        layer.weight.grad.copy_(part)
    first.step(0.1)
    second.step(0.1)
    np.testing.assert_allclose(both.weight.detach(), torch.cat([each.weight.detach() for each in apart]), atol=1e-6)


def test_what_is_kept_of_it_goes_on_to_the_very_weights():
    whole, stopped = Layers(), Layers()
    optimizer, first = Optimizer(whole, DECAY, 1.0), Optimizer(stopped, DECAY, 1.0)
    for number in range(2):
        for model, each in ((whole, optimizer), (stopped, first)):
            each.zero_grad()
            model.loss(number).backward()
            each.step(0.01)
    second = Optimizer(stopped, DECAY, 1.0)
    second.restore({name: array.copy() for name, array in first.state().items()}, steps=2)
    for model, each in ((whole, optimizer), (stopped, second)):
        each.zero_grad()
        model.loss(2).backward()
        each.step(0.01)
    for one, other in zip(whole.parameters(), stopped.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_gradient_of_zeros_moves_nothing_but_by_decay():
    model = Layers()
    before = {name: weights.clone() for name, weights in model.named_parameters()}
    Optimizer(model, 0.0, 1.0).step(0.1)
    assert all(torch.equal(weights, before[name]) for name, weights in model.named_parameters())
    assert orthogonal_parts(model.head.weight) == 0
