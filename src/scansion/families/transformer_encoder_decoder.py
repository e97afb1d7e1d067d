"""Transformer encoder-decoder (Vaswani et al. 2017, Figure 1): the target attends to the source and to its own past.

    source:  x = E[s] sqrt(D) + sinusoids;   x = x + Attention(x, x);          x = x + W2 ReLU(W1 x)
    target:  y = E[t] sqrt(D) + sinusoids;   y = y + Attention(y, y's past);   y = y + Attention(y, x);
                                             y = y + W2 ReLU(W1 y)

The norm stands before each part (Xiong et al. 2020) and once after each stack.  One embedding E serves the source, the
target and the logits of the next token (section 3.4); the vocabulary is joint.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from torch import Tensor, nn

from scansion.families.transformer import TransformerBlock
from scansion.layers.attention import KeysValues, MultiHeadAttention, attention_mask
from scansion.layers.dropout import Dropout
from scansion.layers.feed_forward import FeedForward
from scansion.layers.kv_cache import KeyValueCache
from scansion.layers.positions import sinusoidal_positions
from scansion.options import check_positive, check_shares, check_whole


@dataclass(frozen=True)
class TransformerEncoderDecoder:
    """``layers`` on either side; sources and targets of up to ``max_length`` subwords."""

    width: int = 128
    heads: int = 4
    layers: int = 4
    feed_forward: int = 256
    dropout: float = 0.3
    max_length: int = 1024
    learning_rate: float = 4e-3

    learner: ClassVar[str] = "gradient"
    pretraining: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        check_whole(self, "heads", "layers", "feed_forward")
        check_whole(self, "width", step=2 * self.heads if self.heads % 2 else self.heads)
        check_whole(self, "max_length", least=2)
        check_shares(self, "dropout")
        check_positive(self, "learning_rate")

    def build(self, vocab_size: int) -> "TransformerEncoderDecoderNetwork":
        """The network for so many subwords, with fresh weights from torch's random state."""
        return TransformerEncoderDecoderNetwork(self, vocab_size)


class TransformerEncoderDecoderNetwork(nn.Module):
    """source (B, S), mask (B, S), target (B, T) -> (B, T, D), what the next target token is predicted from."""

    positions: Tensor
    decoder: Any  # a list of DecoderBlock

    def __init__(self, configuration: TransformerEncoderDecoder, vocab_size: int) -> None:
        super().__init__()
        width = configuration.width
        self.configuration = configuration
        self.embedding = nn.Embedding(vocab_size, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.register_buffer("positions", sinusoidal_positions(configuration.max_length, width), persistent=False)
        self.source_dropout, self.target_dropout = Dropout(configuration.dropout), Dropout(configuration.dropout)
        sizes = (width, configuration.heads, configuration.feed_forward, configuration.dropout)
        self.encoder = nn.ModuleList(TransformerBlock(*sizes) for _ in range(configuration.layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(DecoderBlock(*sizes) for _ in range(configuration.layers))
        self.decoder_norm = nn.LayerNorm(width)

    def forward(self, source: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        read, seen = self.encode(source, mask), mask[:, None, None, :]
        vectors = self.target_dropout(self.embed(target, self.positions[: target.shape[1]]))
        for block in self.decoder:
            vectors = block(vectors, block.source_attention.keys_values(read), seen)
        return self.decoder_norm(vectors)

    def encode(self, source: Tensor, mask: Tensor) -> Tensor:
        """(B, S), (B, S) -> (B, S, D)."""
        vectors = self.source_dropout(self.embed(source, self.positions[: source.shape[1]]))
        seen = attention_mask(mask)
        for block in self.encoder:
            vectors = block(vectors, seen)
        return self.encoder_norm(vectors)

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        return self.embedding(tokens) * self.configuration.width**0.5 + positions

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        return self.embedding.weight

    def init_state(self, source: Tensor, mask: Tensor, room: int) -> "TransformerState":
        """Read the sources, one hypothesis each, with room for so many target tokens."""
        read = self.encode(source, mask)
        return TransformerState(
            [KeyValueCache(len(source), 2 * self.configuration.width, room) for _ in self.decoder],
            [block.source_attention.keys_values(read) for block in self.decoder],
            mask[:, None, None, :],
            1,
        )

    def step(self, last: Tensor, state: "TransformerState") -> tuple[Tensor, "TransformerState"]:
        """The last tokens (N,) -> the vectors that the next is predicted from, (N, D)."""
        vectors = self.embed(last, self.positions[state.length])
        for block, cache, source in zip(self.decoder, state.cache, state.source, strict=True):
            vectors = block.step(vectors, cache, source, state)
        return self.decoder_norm(vectors), state


@dataclass(frozen=True)
class TransformerState:
    """What was written (each layer's cache, N hypotheses) and what was read (its keys and values, B sources)."""

    cache: Sequence[KeyValueCache]
    source: Sequence[KeysValues]
    seen: Tensor  # (B, 1, 1, S)
    hypotheses: int

    @property
    def length(self) -> int:
        return self.cache[0].length

    def reorder(self, rows: Tensor, hypotheses: int) -> "TransformerState":
        """The given hypotheses (M,), so many a source."""
        for cache in self.cache:
            cache.reorder(rows)
        sources = rows[::hypotheses] // self.hypotheses
        if len(sources) == len(self.seen):
            return replace(self, hypotheses=hypotheses)
        source = [(keys[sources], values[sources]) for keys, values in self.source]
        return TransformerState(self.cache, source, self.seen[sources], hypotheses)


class DecoderBlock(nn.Module):
    """The paper's decoder layer, norm first."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.own_norm, self.source_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.own_attention = MultiHeadAttention(width, heads)
        self.source_attention = MultiHeadAttention(width, heads)
        self.own_dropout, self.source_dropout = Dropout(dropout), Dropout(dropout)
        self.feed_forward = FeedForward(width, feed_forward, dropout)

    def forward(self, vectors: Tensor, source: KeysValues, seen: Tensor) -> Tensor:
        looking = self.own_norm(vectors)
        own = self.own_attention(looking, self.own_attention.keys_values(looking), causal=True)
        vectors = vectors + self.own_dropout(own)
        read = self.source_attention(self.source_norm(vectors), source, seen)
        return self.feed_forward(vectors + self.source_dropout(read))

    def step(self, vectors: Tensor, cache: KeyValueCache, source: KeysValues, state: TransformerState) -> Tensor:
        """The same for one position more: (N, D) -> (N, D)."""
        looking = self.own_norm(vectors)
        vectors = vectors + self.own_attention.step(looking, cache.append(self.own_attention.key_value(looking)))
        # the hypotheses of a source are queries to one and the same context
        looking = self.source_norm(vectors).unflatten(0, (-1, state.hypotheses))
        read = self.source_attention(looking, source, state.seen)
        return self.feed_forward(vectors + read.flatten(0, 1))
