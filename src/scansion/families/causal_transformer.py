"""Transformer decoder as a language model (Radford et al. 2018): every position sees itself and all before it.

    x = E[w] sqrt(D) + sinusoids;   x = x + Attention(x, x's past);   x = x + W2 ReLU(W1 x);   logits = norm(x) E^T + b

The right half of Figure 1 of Vaswani et al. 2017 without the attention to a source, the norm before each part (Xiong
et al. 2020).  The last projection of each part is drawn smaller, by the root of their number (Radford et al. 2019).

It sees ``context`` tokens at most.  Of a longer document it forgets the first half of these whenever they are full: a
token is foretold from half a context to a whole one, in the same way when a document is scored and when it is written.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from scansion.layers.attention import MultiHeadAttention
from scansion.layers.dropout import Dropout
from scansion.layers.feed_forward import FeedForward
from scansion.layers.positions import sinusoidal_positions
from scansion.options import check_positive, check_shares, check_whole


@dataclass(frozen=True)
class CausalTransformer:
    """``layers`` of ``heads``; predictions depend on ``context`` tokens at most."""

    width: int = 128
    heads: int = 4
    layers: int = 4
    feed_forward: int = 512
    dropout: float = 0.1
    context: int = 256
    learning_rate: float = 3e-3

    learner: ClassVar[str] = "gradient"

    def __post_init__(self) -> None:
        check_whole(self, "heads", "layers", "feed_forward")
        check_whole(self, "width", step=2 * self.heads if self.heads % 2 else self.heads)
        check_whole(self, "context", least=2, step=2)
        check_shares(self, "dropout")
        check_positive(self, "learning_rate")

    @property
    def window(self) -> int:
        """Tokens that are read at a time in training."""
        return self.context

    def build(self, vocab_size: int) -> "CausalTransformerNetwork":
        """The network for so many tokens, with fresh weights from torch's random state."""
        return CausalTransformerNetwork(self, vocab_size)


class CausalTransformerNetwork(nn.Module):
    """tokens (B, L), L at most the context -> (B, L, D), what the token after each is predicted from."""

    positions: Tensor
    blocks: Any  # a list of CausalBlock

    def __init__(self, configuration: CausalTransformer, vocab_size: int) -> None:
        super().__init__()
        width = configuration.width
        self.configuration = configuration
        self.embedding = nn.Embedding(vocab_size, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.register_buffer("positions", sinusoidal_positions(configuration.context, width), persistent=False)
        self.dropout = Dropout(configuration.dropout)
        sizes = (width, configuration.heads, configuration.feed_forward, configuration.dropout)
        self.blocks = nn.ModuleList(CausalBlock(*sizes) for _ in range(configuration.layers))
        self.norm = nn.LayerNorm(width)
        with torch.no_grad():
            for block in self.blocks:
                for last in (block.attention.output, block.feed_forward.outer):
                    last.weight.mul_((2 * configuration.layers) ** -0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.reading(tokens)[0]

    def pieces(self, tokens: Tensor) -> list[Tensor]:
        """The same in one piece: there is no longer one than a context."""
        return [self(tokens)]

    def reading(self, tokens: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The vectors (B, L, D), and of every layer what later positions look at, (B, L, 2D)."""
        vectors, read = self.dropout(self.embed(tokens, self.positions[: tokens.shape[1]])), []
        for block in self.blocks:
            vectors, key_value = block(vectors)
            read.append(key_value)
        return self.norm(vectors), read

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        return self.embedding(tokens) * self.configuration.width**0.5 + positions

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        return self.embedding.weight

    def state_after(self, rows: list[Tensor]) -> "WindowState":
        """What was read of documents, (L,) tokens each, from their beginning on."""
        context = self.configuration.context
        state = WindowState(
            torch.zeros(len(rows), context, dtype=torch.int64), torch.zeros(len(rows), dtype=torch.int64),
            [torch.zeros(len(rows), context, 2 * self.configuration.width) for _ in self.blocks],
        )
        for number, row in enumerate(rows):
            kept = row[first_seen(len(row), context) :]
            state.tokens[number, : len(kept)], state.lengths[number] = kept, len(kept)
        return self._read_again(state, torch.arange(len(rows)))

    def step(self, last: Tensor, state: "WindowState") -> tuple[Tensor, "WindowState"]:
        """The last tokens (N,) -> the vectors that the next is predicted from, (N, D)."""
        context = self.configuration.context
        if (full := state.lengths == context).any():
            half = context // 2
            state.tokens[full, :half] = state.tokens[full, half:]
            state.lengths[full] = half
            state = self._read_again(state, full.nonzero()[:, 0])
        everyone, at = torch.arange(len(last)), state.lengths
        state.tokens[everyone, at] = last
        seen = torch.arange(int(at.max()) + 1) <= at[:, None]  # (N, S)
        vectors = self.embed(last, self.positions[at])
        for block, read in zip(self.blocks, state.read, strict=True):
            vectors = block.step(vectors, read, at, seen)
        state.lengths = at + 1
        return self.norm(vectors), state

    def _read_again(self, state: "WindowState", rows: Tensor) -> "WindowState":
        """What later positions look at, of the given rows (M,), from the tokens that they hold."""
        longest = int(state.lengths[rows].max()) if len(rows) else 0
        if longest:
            for stored, read in zip(state.read, self.reading(state.tokens[rows, :longest])[1], strict=True):
                stored[rows, :longest] = read
        return state


def first_seen(length: int, context: int) -> int:
    """Of ``length`` tokens that were read, the first that the next prediction depends on."""
    half = context // 2
    return max(0, -(-(length - context) // half) * half)


@dataclass
class WindowState:
    """The tokens of each row that are still seen (N, context), how many (N,), and each layer's keys and values."""

    tokens: Tensor
    lengths: Tensor
    read: list[Tensor]  # (N, context, 2D)

    def reorder(self, rows: Tensor, hypotheses: int) -> "WindowState":
        """The given rows (M,)."""
        return WindowState(self.tokens[rows], self.lengths[rows], [each[rows] for each in self.read])


class CausalBlock(nn.Module):
    """One layer, norm first."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads)
        self.attention_dropout = Dropout(dropout)
        self.feed_forward = FeedForward(width, feed_forward, dropout)

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L, D) -> (B, L, D), and the keys and values (B, L, 2D)."""
        looking = self.attention_norm(vectors)
        key_value = self.attention.key_value(looking)
        keys, values = key_value.chunk(2, dim=-1)
        read = self.attention(looking, (self.attention.split(keys), self.attention.split(values)), causal=True)
        return self.feed_forward(vectors + self.attention_dropout(read)), key_value

    def step(self, vectors: Tensor, read: Tensor, at: Tensor, seen: Tensor) -> Tensor:
        """One position more, (N, D) -> (N, D): joins those ``read (N, context, 2D)``, looks where ``seen (N, S)``."""
        looking, attention = self.attention_norm(vectors), self.attention
        read[torch.arange(len(at)), at] = attention.key_value(looking)
        keys, values = (attention.split(each) for each in read[:, : seen.shape[1]].chunk(2, dim=-1))
        query = attention.split(attention.query(looking)[:, None])  # (N, H, 1, D/H)
        heads = functional.scaled_dot_product_attention(query, keys, values, attn_mask=seen[:, None, None])
        return self.feed_forward(vectors + attention.output(heads.flatten(1)))
