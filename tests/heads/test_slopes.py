"""Losses in closed form are those that torch computes and differentiates."""

import numpy as np
import pytest
import torch

from scansion.heads.losses import row_losses
from scansion.heads.multiclass import MulticlassHead
from scansion.heads.multilabel import MultilabelHead
from scansion.heads.regression import RegressionHead
from scansion.heads.slopes import weighted_loss

RANDOM = np.random.default_rng(0)
ROWS = 40
HEADS = {
    "labels": (MulticlassHead(("a", "b", "c", "d")), RANDOM.integers(0, 4, ROWS)),
    "two labels": (MulticlassHead(("a", "b")), RANDOM.integers(0, 2, ROWS)),
    "one label": (MulticlassHead(("a",)), np.zeros(ROWS, np.int64)),
    "sets of labels": (MultilabelHead(("a", "b", "c")), RANDOM.integers(0, 2, (ROWS, 3)).astype(np.float32)),
    "numbers": (RegressionHead(0.0, 1.0), RANDOM.normal(size=ROWS)),
}


@pytest.mark.parametrize("kind", list(HEADS))
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_they_are_those_of_torch_also_where_a_naive_exponential_would_overflow(kind, scale):
    head, targets = HEADS[kind]
    weights = RANDOM.random(ROWS)
    logits = scale * RANDOM.normal(size=(ROWS, head.size))
    given = torch.from_numpy(logits).requires_grad_()
    total = (row_losses(head, given, torch.from_numpy(targets)) * torch.from_numpy(weights)).sum()
    (slope,) = torch.autograd.grad(total, given)
    found, found_slope = weighted_loss(head, targets, weights)(logits.copy())
    assert found == pytest.approx(float(total.detach()), rel=1e-12)
    np.testing.assert_allclose(found_slope, slope.numpy(), rtol=1e-9, atol=1e-13)
