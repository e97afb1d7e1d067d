"""The chunked loss against torch's own, which keeps every score."""

import pytest
import torch

from scansion.layers.vocabulary_loss import POSITIONS_AT_A_TIME, vocabulary_loss


@pytest.mark.parametrize("positions", [1, 7, POSITIONS_AT_A_TIME, POSITIONS_AT_A_TIME + 3])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_and_gradients_are_those_of_cross_entropy(positions, smoothing):
    generator = torch.Generator().manual_seed(0)
    given = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((positions, 6), (31, 6), (31,))]
    targets = torch.randint(31, (positions,), generator=generator)
    mine, theirs = ([each.clone().requires_grad_() for each in given] for _ in range(2))
    loss = vocabulary_loss(*mine, targets, smoothing)
    scores = theirs[0] @ theirs[1].T + theirs[2]
    truth = torch.nn.functional.cross_entropy(scores, targets, reduction="sum", label_smoothing=smoothing)
    torch.testing.assert_close(loss, truth)
    (loss * 0.3).backward()
    (truth * 0.3).backward()
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)
