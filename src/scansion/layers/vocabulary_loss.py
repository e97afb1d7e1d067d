"""The loss of the next token over a large vocabulary, with label smoothing (Szegedy et al. 2016, section 7).

    loss = log Z - (1 - s) z_y - s mean(z),      z = h W^T + b,      Z = sum_v exp(z_v)

Logits and gradients are made for some positions at a time, in place, in one autograd function, so that nothing of the
size tokens x vocabulary is ever kept: what is left is the price of three matrix products.  On a CPU torch's softmax
takes a sixth of the time of its exp and logsumexp, so that Z is found from the largest logit and its probability.
"""

from typing import Any

import torch
from torch import Tensor

POSITIONS_AT_A_TIME = 256


def vocabulary_loss(vectors: Tensor, table: Tensor, bias: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """vectors (N, D), table (V, D), bias (V,), targets (N,) int64 -> the loss summed over positions, a scalar."""
    return _VocabularyLoss.apply(vectors, table, bias, targets, smoothing)


def log_normaliser(logits: Tensor, probabilities: Tensor) -> Tensor:
    """log Z of logits (..., V) and their softmax, whose largest is at least 1 / V, so that its logarithm is finite."""
    return logits.amax(dim=-1) - probabilities.amax(dim=-1).log()


class _VocabularyLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, vectors: Tensor, table: Tensor, bias: Tensor, targets: Tensor, smoothing: float
    ) -> Tensor:
        total = vectors.new_zeros(())
        slopes = [torch.zeros_like(each) for each in (vectors, table, bias)]
        ones = vectors.new_ones(min(len(vectors), POSITIONS_AT_A_TIME))
        for begin in range(0, len(vectors), POSITIONS_AT_A_TIME):
            part = slice(begin, begin + POSITIONS_AT_A_TIME)
            logits = torch.addmm(bias, vectors[part], table.T)  # (n, V)
            right = targets[part, None]
            probabilities = logits.softmax(dim=1)
            total += log_normaliser(logits, probabilities).sum() - (1 - smoothing) * logits.gather(1, right).sum()
            total -= smoothing * logits.mean(dim=1).sum()
            slope = probabilities.sub_(smoothing / logits.shape[1])
            slope.scatter_add_(1, right, slope.new_full((len(right), 1), smoothing - 1))
            slopes[0][part] = slope @ table
            slopes[1].addmm_(slope.T, vectors[part])
            slopes[2] += ones[: len(slope)] @ slope
        ctx.save_for_backward(*slopes)
        return total

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        return *(outer * slope for slope in ctx.saved_tensors), None, None
