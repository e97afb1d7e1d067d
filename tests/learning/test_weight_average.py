"""The mean of a run's weights: the formula written out, and a model that gets its own weights back."""

import numpy as np
import pytest
import torch
from torch import nn

from scansion.learning.weight_average import WeightAverage

SHARE, STEPS = 0.25, 12


def walked(share: float) -> tuple[nn.Linear, WeightAverage, list[torch.Tensor]]:
    """A layer whose weights took some steps, its average, and where they were."""
    generator = torch.Generator().manual_seed(0)
    layer, been = nn.Linear(3, 2), []
    average = WeightAverage(layer, share)
    for step in range(1, STEPS + 1):
        layer.weight.data.add_(torch.randn((2, 3), generator=generator))
        average.add(step)
        been.append(layer.weight.detach().clone())
    return layer, average, been


def test_later_weights_count_more_as_the_formula_says():
    layer, average, been = walked(SHARE)
    order, weights = 1 / SHARE - 2, np.zeros(STEPS)
    for step in range(1, STEPS + 1):
        new = (order + 1) / (order + step)
        weights[:step] *= 1 - new
        weights[step - 1] = new
    assert weights.sum() == pytest.approx(1)
    assert (np.diff(weights) > 0).all()
    mean = sum(weight * each for weight, each in zip(weights.tolist(), been, strict=True))
    before = layer.weight.detach().clone()
    with average.in_place():
        torch.testing.assert_close(layer.weight.detach(), mean)
    assert torch.equal(layer.weight, before)


def test_it_goes_on_from_its_state_and_weights_come_back_after_an_error():
    layer, average, _ = walked(SHARE)
    other = WeightAverage(layer, SHARE)
    other.restore({name: array.copy() for name, array in average.state().items()})
    for each in (average, other):
        each.add(STEPS + 1)
    assert all(np.array_equal(one, other.state()[name]) for name, one in average.state().items())
    before = layer.weight.detach().clone()
    with pytest.raises(KeyError), average.in_place():
        raise KeyError
    assert torch.equal(layer.weight, before)


def test_without_a_share_the_model_speaks_for_itself():
    layer, average, been = walked(0.0)
    assert average.state() == {}
    with average.in_place():
        assert torch.equal(layer.weight, been[-1])
