"""Muon (Jordan et al. 2024): a matrix moves by the orthogonal one that is nearest to the mean of its gradients.

    m = b m + (1 - b) g,    W = (1 - rate decay) W - rate s O(b m + (1 - b) g),    s = 0.2 sqrt(max(rows, columns))

O(M) = U V^T where M = U S V^T: all directions that the gradient has count alike.  It is found by five steps of
Newton and Schulz, X = a X + (c A + d A^2) X with A = X X^T, which bring the singular values near one, between 0.7 and
1.2, and are matrix products alone.  With s a step is as long as one of AdamW (Liu et al. 2025, section 2.2), so that
one learning rate and one decay serve all weights.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import cast

import torch
from torch import Tensor, nn

from scansion.layers.orthogonal import orthogonal_parts

MOMENTUM = 0.95
STEPS = 5
LINEAR, CUBIC, QUINTIC = 3.4445, -4.7750, 2.0315  # of Jordan et al.
LENGTH = 0.2  # the root mean square of an update of AdamW
SMALLEST_NORM = 1e-7


class OrthogonalWeights:
    """Matrices, and the running means of their gradients; those of one shape are multiplied together."""

    def __init__(self, weights: Sequence[nn.Parameter]) -> None:
        kinds = groupby(sorted(weights, key=_kind), key=_kind)
        self.groups = [(shape, list(some)) for (shape, _), some in kinds]
        self.parts = [orthogonal_parts(some[0]) for _, some in self.groups]
        self.means = [[torch.zeros_like(each) for each in some] for _, some in self.groups]

    def moments(self) -> Iterator[tuple[Tensor, tuple[Tensor]]]:
        """Each parameter with the running mean of its gradient."""
        for (_, some), means in zip(self.groups, self.means, strict=True):
            yield from ((weights, (mean,)) for weights, mean in zip(some, means, strict=True))

    def taken(self, steps: int) -> None:
        """Nothing of it depends on how many steps were taken."""

    @torch.no_grad()
    def step(self, learning_rate: float, weight_decay: float) -> None:
        """Move all of them."""
        for (shape, some), parts, means in zip(self.groups, self.parts, self.means, strict=True):
            gradients = [cast(Tensor, each.grad) for each in some]
            torch._foreach_lerp_(means, gradients, 1 - MOMENTUM)
            ahead = torch.stack(torch._foreach_lerp(gradients, means, MOMENTUM))
            rows, columns = shape[0] // parts, shape[1]
            moved = orthogonal(ahead.view(-1, rows, columns)).view_as(ahead)
            weights: list[Tensor] = list(some)
            torch._foreach_mul_(weights, 1 - learning_rate * weight_decay)
            torch._foreach_sub_(weights, list(moved.mul_(learning_rate * LENGTH * max(rows, columns) ** 0.5)))


def orthogonal(matrices: Tensor) -> Tensor:
    """Near the orthogonal matrices that are nearest to the given ones, (N, rows, columns)."""
    wide = matrices.shape[1] <= matrices.shape[2]
    found = matrices if wide else matrices.mT
    found = found / (torch.linalg.matrix_norm(found, keepdim=True) + SMALLEST_NORM)
    for _ in range(STEPS):
        square = found @ found.mT
        both = torch.baddbmm(square, square, square, beta=CUBIC, alpha=QUINTIC)
        found = torch.baddbmm(found, both, found, beta=LINEAR)
    return found if wide else found.mT.contiguous()


def _kind(weights: nn.Parameter) -> tuple[tuple[int, ...], int]:
    return tuple(weights.shape), orthogonal_parts(weights)
