"""Llama (Touvron et al. 2023), as its weights are given away: a Transformer that writes, with rotary positions.

    x = x + Attention(norm(x), its past);   x = x + W2 (SiLU(W1 norm(x)) * W3 norm(x));   logits = norm(x) E^T

The norm divides by the root of the mean square alone (Zhang and Sennrich 2019), the gate is SwiGLU (Shazeer 2020),
queries and keys are turned by their positions, and several heads of queries may share one of keys and values (Ainslie
et al. 2023).  No layer adds a bias.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from scansion.layers.causal_decoder import AttentionStep, CausalDecoder, LayerWindow, transposed
from scansion.layers.dropout import Dropout
from scansion.layers.rotary import BASE, Turns, rotary_turns
from scansion.options import check_positive, check_shares, check_whole

DEVIATION = 0.02
MOST_READ = 512  # tokens of a window in training, however long the context is


@dataclass(frozen=True)
class Llama:
    """What its config.json says."""

    width: int = 768
    heads: int = 12
    key_value_heads: int = 12
    head_size: int = 64
    layers: int = 12
    feed_forward: int = 2048
    context: int = 1024
    rotary_base: float = BASE
    norm_epsilon: float = 1e-5
    tied: bool = False
    """Whether tokens are foretold with the table that also reads them."""
    dropout: float = 0.0
    learning_rate: float = 3e-4

    learner: ClassVar[str] = "gradient"
    output_bias: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_whole(self, "width", "key_value_heads", "layers", "feed_forward")
        check_whole(self, "heads", step=self.key_value_heads)
        check_whole(self, "head_size", step=2)
        check_whole(self, "context", least=2)
        check_shares(self, "dropout")
        check_positive(self, "learning_rate", "norm_epsilon", "rotary_base")

    @property
    def window(self) -> int:
        """Tokens that are read at a time in training."""
        return min(self.context, MOST_READ)

    @property
    def stride(self) -> int:
        """Tokens from the beginning of a window in training to that of the next: each token is met with little before
        it and with much.
        """
        return max(1, self.window // 2)

    def build(self, vocab_size: int) -> "LlamaNetwork":
        """The network for so many tokens, with fresh weights from torch's random state."""
        return LlamaNetwork(self, vocab_size)


class LlamaNetwork(CausalDecoder):
    """tokens (B, L), L at most the context -> (B, L, D), what the token after each is predicted from."""

    def __init__(self, configuration: Llama, vocab_size: int) -> None:
        super().__init__()
        self.configuration, self.context = configuration, configuration.context
        self.embedding = nn.Embedding(vocab_size, configuration.width)
        self.output = None if configuration.tied else nn.Parameter(torch.empty(vocab_size, configuration.width))
        for table in (self.embedding.weight, self.output):
            if table is not None:
                nn.init.normal_(table, std=DEVIATION)
        self.turns = rotary_turns(self.context, configuration.head_size, configuration.rotary_base)
        self.dropout = Dropout(configuration.dropout)
        self.blocks = nn.ModuleList(LlamaBlock(configuration) for _ in range(configuration.layers))
        self.norm = RootMeanSquareNorm(configuration.width, configuration.norm_epsilon)

    def embed(self, tokens: Tensor, positions: slice | Tensor, window: Tensor) -> Tensor:
        """See :class:`scansion.layers.causal_decoder.CausalDecoder`."""
        return self.embedding(tokens)

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        return self.embedding.weight if self.output is None else self.output


class RootMeanSquareNorm(nn.Module):
    """(..., D) -> (..., D)."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, vectors: Tensor) -> Tensor:
        return functional.rms_norm(vectors, self.weight.shape, self.weight, self.epsilon)


class GroupedAttention(nn.Module):
    """Several heads of queries for each of keys and values; every position looks at itself and all before it."""

    def __init__(self, configuration: Llama) -> None:
        super().__init__()
        width, size = configuration.width, configuration.head_size
        self.size = size
        self.query = nn.Linear(width, configuration.heads * size, bias=False)
        self.key_value = nn.Linear(width, 2 * configuration.key_value_heads * size, bias=False)
        self.output = nn.Linear(configuration.heads * size, width, bias=False)

    def forward(self, vectors: Tensor, turns: Turns) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, D) -> (B, L, D), and the keys and values (B, H, L, d)."""
        queries, keys, values = (
            each.unflatten(-1, (-1, self.size)).transpose(1, 2)
            for each in (self.query(vectors), *self.key_value(vectors).chunk(2, dim=-1))
        )
        keys = turns.turned(keys)
        read = functional.scaled_dot_product_attention(
            turns.turned(queries), keys, values, is_causal=True, enable_gqa=queries.shape[1] != keys.shape[1]
        )
        return self.output(read.transpose(1, 2).flatten(2)), keys, values


class LlamaBlock(nn.Module):
    """One layer, norm first."""

    def __init__(self, configuration: Llama) -> None:
        super().__init__()
        width, inner, epsilon = configuration.width, configuration.feed_forward, configuration.norm_epsilon
        self.keys = configuration.key_value_heads, configuration.head_size
        self.attention_norm = RootMeanSquareNorm(width, epsilon)
        self.attention = GroupedAttention(configuration)
        self.norm = RootMeanSquareNorm(width, epsilon)
        self.gate = nn.Linear(width, inner, bias=False)
        self.inner = nn.Linear(width, inner, bias=False)
        self.outer = nn.Linear(inner, width, bias=False)
        self.dropout = Dropout(configuration.dropout)

    def forward(self, vectors: Tensor, turns: Turns) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, D) -> (B, L, D), and the keys and values (B, H, L, d)."""
        read, keys, values = self.attention(self.attention_norm(vectors), turns)
        vectors = vectors + self.dropout(read)
        looking = self.norm(vectors)
        gated = functional.silu(self.gate(looking)) * self.inner(looking)
        return vectors + self.dropout(self.outer(gated)), keys, values

    def stepping(self) -> "LlamaBlockStep":
        """Its weights, as a step reads them."""
        return LlamaBlockStep(self)


class LlamaBlockStep:
    """One position more of a layer, (N, D) -> (N, D)."""

    def __init__(self, block: LlamaBlock) -> None:
        self.attention_norm, self.norm = block.attention_norm, block.norm
        self.attention = AttentionStep(block.attention, *block.keys)
        self.gate_inner, self.outer = transposed(block.gate, block.inner), transposed(block.outer)

    def __call__(
        self, vectors: Tensor, window: LayerWindow, length: int, at: slice | Tensor, seen: Tensor | None,
        turns: Turns | None,
    ) -> Tensor:
        """See :class:`scansion.layers.causal_decoder.AttentionStep`."""
        vectors = vectors + self.attention(self.attention_norm(vectors), window, length, at, seen, turns)
        gate, inner = self.gate_inner(self.norm(vectors)).chunk(2, dim=1)
        return vectors + self.outer(functional.silu(gate) * inner)
