"""Multi-head attention (Vaswani et al. 2017, section 3.2).

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d)) V,    heads side by side, each with its own projections

The vendor's fused kernel computes it in memory linear in the length; while the weights are recorded the same layers use
the written-out formula.  A decoder looks back with one query a hypothesis; for a single row, multiplying and adding up
number by number takes half the kernel's time.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from scansion.layers.attention_capture import AttentionLayer
from scansion.layers.rotary import Turns

KeysValues = tuple[Tensor, Tensor]


class MultiHeadAttention(AttentionLayer):
    """Every position of ``queries (B, L, D)`` looks at those positions of a context (B, S, D) that it may see."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        for linear in self.linears():
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def linears(self) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
        """The projections: of queries, of keys and values, and of what was read."""
        return self.query, self.key_value, self.output

    def keys_values(self, context: Tensor) -> KeysValues:
        """What of a context is looked at, (B, H, S, D/H) twice; made once, it serves any number of queries."""
        keys, values = self.key_value(context).chunk(2, dim=-1)
        return self.split(keys), self.split(values)

    def forward(
        self, queries: Tensor, keys_values: KeysValues, seen: Tensor | None = None, causal: bool = False,
        turns: Turns | None = None,
    ) -> Tensor:
        """``seen`` is True where a query may look, or is what is added to the scores, and fits (B, H, L, S).

        None is everywhere.  With ``causal`` query i looks at positions 0 .. i, and ``seen`` is not asked.  ``turns``
        are those of the queries where positions are rotary.
        """
        q, (k, v) = self.split(self.query(queries)), keys_values
        if turns is not None:
            q = turns.turned(q)
        if self.record is None:
            heads = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, is_causal=causal)
        else:
            weights = attention_weights(q, k, causal_mask(q.shape[2]) if causal else seen)
            self.record.append(weights.detach())
            heads = weights @ v
        return self.output(heads.transpose(1, 2).flatten(2))  # (B, L, D)

    def step(self, queries: Tensor, keys_values: Tensor) -> Tensor:
        """One query each, (N, D) -> (N, D), at all of ``keys_values (S, N, 2D)``, positions first."""
        q, (k, v) = self.query(queries).unflatten(-1, (self.heads, -1)), keys_values.chunk(2, dim=-1)
        scores = (k.unflatten(-1, (self.heads, -1)) * q).sum(dim=-1) / q.shape[-1] ** 0.5  # (S, N, H)
        weights = scores.softmax(dim=0)
        if self.record is not None:
            self.record.append(weights.permute(1, 2, 0)[:, :, None].detach())
        return self.output((weights.repeat_interleave(q.shape[-1], dim=-1) * v).sum(dim=0))

    def split(self, vectors: Tensor) -> Tensor:
        """(B, L, D) -> (B, H, L, D/H)."""
        return vectors.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def attention_mask(mask: Tensor) -> Tensor | None:
    """``mask (B, S)``, True on real positions, as the layers take it, (B, 1, 1, S); None where all are real."""
    return None if mask.all() else mask[:, None, None, :]


def causal_mask(length: int) -> Tensor:
    """Position i sees 0 .. i: (L, L) bool."""
    return torch.ones(length, length, dtype=torch.bool).tril()


def attention_weights(q: Tensor, k: Tensor, seen: Tensor | None) -> Tensor:
    """The formula written out: (B, H, L, S), every row sums to one."""
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if seen is not None:
        scores = scores.masked_fill(~seen, float("-inf")) if seen.dtype == torch.bool else scores + seen
    return scores.softmax(dim=-1)
