"""The next token: logits are products with the embedding that also reads tokens (Vaswani et al. 2017, section 3.4)."""

import torch
from torch import Tensor, nn

from scansion.layers.vocabulary_loss import vocabulary_loss


class NextToken(nn.Module):
    """A bias a token, unless it has none; the output embedding (V, D) belongs to the family."""

    bias: Tensor

    def __init__(self, tokens: int, has_bias: bool = True) -> None:
        super().__init__()
        if has_bias:
            self.bias = nn.Parameter(torch.zeros(tokens))
        else:
            self.register_buffer("bias", torch.zeros(tokens), persistent=False)

    def loss(self, vectors: Tensor, embedding: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """vectors (N, D), targets (N,) -> the loss summed over positions, a scalar."""
        return vocabulary_loss(vectors, embedding, self.bias, targets, smoothing)

    def log_probs(self, vectors: Tensor, embedding: Tensor) -> Tensor:
        """(N, D) -> (N, V)."""
        return torch.addmm(self.bias, vectors, embedding.T).log_softmax(dim=1)
