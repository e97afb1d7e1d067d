"""The next token: scores are products with the table that also writes tokens (Vaswani et al. 2017, section 3.4)."""

import torch
from torch import Tensor, nn

from scansion.layers.vocabulary_loss import vocabulary_loss


class NextToken(nn.Module):
    """A bias a token; the table (V, D) belongs to the family."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(tokens))

    def loss(self, vectors: Tensor, table: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """vectors (N, D), targets (N,) -> the loss summed over positions, a scalar."""
        return vocabulary_loss(vectors, table, self.bias, targets, smoothing)

    def log_probabilities(self, vectors: Tensor, table: Tensor) -> Tensor:
        """(N, D) -> (N, V)."""
        return torch.addmm(self.bias, vectors, table.T).log_softmax(dim=1)
