"""Additive attention (Bahdanau et al. 2015, section 3.1 and appendix A.1.2).

    e_j = v . tanh(W s + U h_j),      a = softmax(e),      c = sum_j a_j h_j
"""

import torch
from torch import Tensor, nn

from scansion.layers.attention_capture import AttentionLayer


class AdditiveAttention(AttentionLayer):
    """A state s (N, D) looks at what was read, h (N, S, C)."""

    def __init__(self, state: int, context: int, width: int) -> None:
        super().__init__()
        self.state = nn.Linear(state, width, bias=False)
        self.context = nn.Linear(context, width)
        self.score = nn.Linear(width, 1, bias=False)

    def keys(self, context: Tensor) -> Tensor:
        """U h + b, which is the same for every state: (N, S, C) -> (N, S, width)."""
        return self.context(context)

    def forward(self, state: Tensor, keys: Tensor, context: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The context vector (N, C) and the weights (N, S)."""
        scores = self.score(torch.tanh(self.state(state)[:, None] + keys))[..., 0]
        weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=1)
        if self.record is not None:
            self.record.append(weights.detach())
        return torch.bmm(weights[:, None], context)[:, 0], weights
