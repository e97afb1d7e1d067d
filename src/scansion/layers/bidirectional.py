"""Reading both ways (Schuster and Paliwal 1997): one layer reads from the start, its twin from the end.

Each row is turned around within its own length, so that padding always comes last and never reaches a real position;
this keeps the vendor's fast kernel, which does not accept packed rows.
"""

import torch
from torch import Tensor, nn


class Bidirectional(nn.Module):
    """Two recurrent layers side by side: (B, L, D) -> (B, L, 2 * hidden)."""

    def __init__(self, forwards: nn.RNNBase, backwards: nn.RNNBase) -> None:
        super().__init__()
        self.forwards = forwards
        self.backwards = backwards

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        onwards, _ = self.forwards(vectors)
        turned, _ = self.backwards(turn(vectors, mask))
        return torch.cat([onwards, turn(turned, mask)], dim=-1)


def turn(vectors: Tensor, mask: Tensor) -> Tensor:
    """Reverse every row within its own length; padding stays where it is. Its own inverse."""
    positions = torch.arange(mask.shape[1])
    last = mask.sum(dim=1, keepdim=True) - 1
    order = torch.where(mask, last - positions, positions) + mask.shape[1] * torch.arange(len(mask))[:, None]  # (B, L)
    # whole rows: gather would look up every number of them
    return vectors.flatten(0, 1).index_select(0, order.flatten()).view(vectors.shape)
