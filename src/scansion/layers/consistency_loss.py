"""The loss of the next token from two readings under different dropout that must agree: R-Drop (Liang et al. 2021).

    loss = (loss_1 + loss_2) / 2  +  a / 4 * (KL(p_1 || p_2) + KL(p_2 || p_1))          (half of their equation 4)

with loss_1 and loss_2 as in :mod:`scansion.layers.vocabulary_loss`, and made for some positions at a time like it.
With d = log p_1 - log p_2, the slope of both divergences along the first reading's scores is
p_1 (d - KL(p_1 || p_2) + 1) - p_2, and along the second's the same with the parts exchanged and -d.
"""

from typing import Any

import torch
from torch import Tensor

from scansion.layers.vocabulary_loss import log_normaliser

POSITIONS_AT_A_TIME = 128  # of each reading


def consistency_loss(
    vectors: Tensor, table: Tensor, bias: Tensor, targets: Tensor, smoothing: float, consistency: float
) -> Tensor:
    """vectors (2, N, D), table (V, D), bias (V,), targets (N,) int64 -> the loss summed over positions, a scalar."""
    return _ConsistencyLoss.apply(vectors, table, bias, targets, smoothing, consistency)


class _ConsistencyLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, vectors: Tensor, table: Tensor, bias: Tensor, targets: Tensor, smoothing: float, consistency: float
    ) -> Tensor:
        total, weight = vectors.new_zeros(()), consistency / 4
        slopes = [torch.zeros_like(each) for each in (vectors, table, bias)]
        ones = vectors.new_ones(2 * POSITIONS_AT_A_TIME)
        for begin in range(0, vectors.shape[1], POSITIONS_AT_A_TIME):
            part = slice(begin, begin + POSITIONS_AT_A_TIME)
            read = vectors[:, part].flatten(0, 1)
            scores = torch.addmm(bias, read, table.T)  # (2 n, V)
            chances = scores.softmax(dim=1)
            normaliser = log_normaliser(scores, chances)
            right = targets[part].repeat(2)[:, None]
            total += (normaliser.sum() - (1 - smoothing) * scores.gather(1, right).sum()) / 2
            total -= smoothing / 2 * scores.mean(dim=1).sum()
            first, second = chances.chunk(2)
            apart, slope = scores.chunk(2)[0], torch.empty_like(scores)  # (n, V), (2 n, V)
            apart.sub_(scores.chunk(2)[1]).sub_(torch.sub(*normaliser.chunk(2))[:, None])
            for mine, other, side, place in zip((first, second), (second, first), (1, -1), slope.chunk(2), strict=True):
                divergence = side * torch.linalg.vecdot(mine, apart)
                total += weight * divergence.sum()
                torch.add((0.5 + weight * (1 - divergence))[:, None], apart, alpha=side * weight, out=place)
                place.mul_(mine).sub_(other, alpha=weight)
            slope.sub_(smoothing / 2 / scores.shape[1])
            slope.scatter_add_(1, right, slope.new_full((len(right), 1), (smoothing - 1) / 2))
            slopes[0][:, part] = (slope @ table).unflatten(0, (2, -1))
            slopes[1].addmm_(slope.T, read)
            slopes[2] += ones[: len(slope)] @ slope
        ctx.save_for_backward(*slopes)
        return total

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        return *(outer * slope for slope in ctx.saved_tensors), None, None, None
