"""Reading both ways (Schuster and Paliwal 1997): one layer reads from the start, its twin from the end.

Each row is turned around within its own length, so that padding always comes last and never reaches a real position;
this keeps the vendor's fast kernel, which does not accept packed rows.
"""

from typing import Any

import torch
from torch import Tensor, nn

from scansion.layers.at_once import at_once


class Bidirectional(nn.Module):
    """Two recurrent layers side by side: (B, L, D) -> (B, L, 2 * hidden)."""

    def __init__(self, forwards: nn.RNNBase, backwards: nn.RNNBase) -> None:
        super().__init__()
        self.forwards = forwards
        self.backwards = backwards

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        order = turning(mask)
        onwards, turned = at_once(self.forwards, vectors, self.backwards, Turned.apply(vectors, order))
        return torch.cat([onwards, Turned.apply(turned, order)], dim=-1)


def turn(vectors: Tensor, mask: Tensor) -> Tensor:
    """Reverse every row within its own length; padding stays where it is. Its own inverse."""
    return Turned.apply(vectors, turning(mask))


def turning(mask: Tensor) -> Tensor:
    """Where each row of a turned batch comes from, mask (B, L) -> (B * L,)."""
    positions = torch.arange(mask.shape[1])
    last = mask.sum(dim=1, keepdim=True) - 1
    order = torch.where(mask, last - positions, positions) + mask.shape[1] * torch.arange(len(mask))[:, None]  # (B, L)
    return order.flatten()


class Turned(torch.autograd.Function):
    """vectors (B, L, D) in an order (B * L,) that is its own inverse -> (B, L, D).

    torch knows of no order that is one, and would add the gradient to zeros row by row.
    """

    @staticmethod
    def forward(context: Any, vectors: Tensor, order: Tensor) -> Tensor:
        """Whole rows: gather would look up every number of them."""
        context.save_for_backward(order)
        return vectors.flatten(0, 1).index_select(0, order).view(vectors.shape)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradients' rows, the same way."""
        (order,) = context.saved_tensors
        return gradient.reshape(len(order), -1).index_select(0, order).view(gradient.shape), None
