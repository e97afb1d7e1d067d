"""The optimizer is torch's own: AdamW for most weights, SparseAdam for word tables."""

import os
import subprocess
import sys

import numpy as np
import torch
from torch import nn

from scansion.learning.optimizer import NUMBERS, TABLE_LR_SCALE, Optimizer, others_of, tables_of

DECAY, RATES = 0.01, (0.1, 0.05, 0.02)


class Words(nn.Module):
    """A table, a matrix and a bias."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(9, 4, sparse=True)
        self.linear = nn.Linear(4, 2)

    def loss(self, words: list[int]) -> torch.Tensor:
        return self.linear(self.table(torch.tensor(words))).square().sum()


BATCHES = ([1, 2, 2, 3], [3, 4], [1, 1, 5])


def trained(max_grad_norm: float) -> Words:
    model = Words()
    optimizer = Optimizer(model, DECAY, max_grad_norm)
    for batch, rate in zip(BATCHES, RATES, strict=True):
        optimizer.zero_grad()
        model.loss(batch).backward()
        optimizer.step(rate)
    return model


def reference(max_grad_norm: float) -> Words:
    model = Words()
    groups = [{"params": [model.linear.weight], "weight_decay": DECAY}, {"params": [model.linear.bias]}]
    adamw, adam = torch.optim.AdamW(groups, weight_decay=0.0), torch.optim.SparseAdam([model.table.weight])
    for batch, rate in zip(BATCHES, RATES, strict=True):
        adamw.zero_grad()
        adam.zero_grad()
        model.loss(batch).backward()
        gradients = [parameter.grad for parameter in model.parameters()]
        length = torch.cat([gradient.to_dense().flatten() for gradient in gradients]).norm()
        for gradient in gradients:
            gradient *= min(1.0, max_grad_norm / (length.item() + 1e-6))
        for optimizer, share in ((adamw, 1.0), (adam, TABLE_LR_SCALE)):
            for group in optimizer.param_groups:
                group["lr"] = share * rate
            optimizer.step()
    return model


def test_it_moves_the_weights_as_torchs_own_optimizers_do():
    for largest in (1e9, 0.5):
        for mine, theirs in zip(trained(largest).parameters(), reference(largest).parameters(), strict=True):
            # torch adds its small constant before the correction of the roots, which tells for very small gradients
            np.testing.assert_allclose(mine.detach(), theirs.detach(), atol=5e-4)


def test_a_word_that_is_not_read_does_not_move():
    moved = (trained(1.0).table.weight != Words().table.weight).any(dim=1)
    assert moved.nonzero()[:, 0].tolist() == [1, 2, 3, 4, 5]


def test_every_weight_is_of_one_kind():
    model = Words()
    assert [id(weight) for weight in tables_of(model)] == [id(model.table.weight)]
    assert {id(weight) for weight in others_of(model)} == {id(model.linear.weight), id(model.linear.bias)}


def test_gradients_lie_in_one_row_in_which_processes_can_send_them():
    model = Words()
    optimizer = Optimizer(model, DECAY, 1.0)
    model.loss([1, 2]).backward()
    assert torch.equal(optimizer.flat[:-NUMBERS], torch.cat([each.grad.flatten() for each in others_of(model)]))
    assert optimizer.flat.any()
    optimizer.zero_grad()
    assert not any(each.grad.any() for each in others_of(model))


def test_a_fit_does_not_wait_for_the_import_of_torchs_compiler():
    program = (
        "import sys; from small_families import SMALL; from scansion import DocumentClassifier, Training\n"
        "training = Training(min_epochs=1, max_epochs=1)\n"
        "for family in (SMALL['transformer'], SMALL['pretrained']):\n"
        "    DocumentClassifier(family, processes=1, training=training).fit(['a', 'b'] * 8, ['x', 'y'] * 8)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")
