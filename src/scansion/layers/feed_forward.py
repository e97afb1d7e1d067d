"""The position-wise feed-forward part of a Transformer layer (Vaswani et al. 2017, section 3.3), norm first.

    x + W2 ReLU(W1 norm(x) + b1) + b2
"""

import torch
from torch import Tensor, nn

from scansion.layers.dropout import Dropout


class FeedForward(nn.Module):
    """(..., D) -> (..., D), its input added."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, width)
        self.dropout = Dropout(dropout)

    def forward(self, vectors: Tensor) -> Tensor:
        return vectors + self.dropout(self.outer(torch.relu(self.inner(self.norm(vectors)))))
