"""The chunked loss of two readings against the formula written out."""

import pytest
import torch
from torch.nn import functional

from scansion.layers.consistency_loss import POSITIONS_AT_A_TIME, consistency_loss
from scansion.layers.vocabulary_loss import vocabulary_loss

SMOOTHING = 0.1


def given(positions: int) -> tuple[list[torch.Tensor], torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((2, positions, 6), (31, 6), (31,))
    parts = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    return parts, torch.randint(31, (positions,), generator=generator)


@pytest.mark.parametrize("positions", [1, 7, POSITIONS_AT_A_TIME, POSITIONS_AT_A_TIME + 3])
def test_loss_and_gradients_are_those_of_the_formula(positions):
    parts, targets = given(positions)
    mine, theirs = ([each.clone().requires_grad_() for each in parts] for _ in range(2))
    loss = consistency_loss(*mine, targets, SMOOTHING, 5.0)
    vectors, table, bias = theirs
    scores = vectors @ table.T + bias
    first, second = scores.log_softmax(dim=2)
    wanted = [functional.cross_entropy(each, targets, reduction="sum", label_smoothing=SMOOTHING) for each in scores]
    apart = sum(
        functional.kl_div(other, one, reduction="sum", log_target=True) for one, other in
        ((first, second), (second, first))
    )
    truth = sum(wanted) / 2 + 5.0 / 4 * apart
    torch.testing.assert_close(loss, truth)
    (loss * 0.3).backward()
    (truth * 0.3).backward()
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_two_equal_readings_lose_what_one_does():
    (vectors, table, bias), targets = given(9)
    twice = torch.stack([vectors[0], vectors[0]])
    torch.testing.assert_close(
        consistency_loss(twice, table, bias, targets, SMOOTHING, 5.0),
        vocabulary_loss(vectors[0], table, bias, targets, SMOOTHING),
    )
