"""The position-wise feed-forward part of a Transformer layer (Vaswani et al. 2017, section 3.3), norm first.

    x + W2 ReLU(W1 norm(x) + b1) + b2

In place of ReLU, which the paper takes, there may be what came before or after it: see ``ACTIVATIONS``.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from scansion.layers.dropout import Dropout

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu, "gelu": nn.functional.gelu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
}
WIDEST = 1 << 20  # numbers of one activation that still fit a core's cache


def tokens_in_cache(inner: int) -> int:
    """How many tokens to read at a time, so that their widest activations, (tokens, inner), stay in the cache.

    Of a MiniLM with more of them every product waits for memory; of a small layer it is several thousand.
    """
    return max(1, WIDEST // inner)


class FeedForward(nn.Module):
    """(..., D) -> (..., D), its input added."""

    def __init__(
        self, width: int, inner: int, dropout: float, activation: Callable[[Tensor], Tensor] = torch.relu,
        norm_epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.norm = nn.LayerNorm(width, norm_epsilon)
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, width)
        self.dropout = Dropout(dropout)

    def forward(self, vectors: Tensor) -> Tensor:
        return vectors + self.dropout(self.outer(self.activation(self.inner(self.norm(vectors)))))
