"""Transformer decoder as a language model (Radford et al. 2018): every position sees itself and all before it.

    x = E[w] sqrt(D) + sinusoids;   x = x + Attention(x, x's past);   x = x + W2 ReLU(W1 x);   logits = norm(x) E^T + b

The right half of Figure 1 of Vaswani et al. 2017 without the attention to a source, the norm before each part (Xiong
et al. 2020).  The last projection of each part is drawn smaller, by the root of their number (Radford et al. 2019).

With ``positions="rotary"`` nothing is added to the tokens; queries and keys are turned (Su et al. 2021).  With
``ngrams`` of 2 or more the n-grams that end at a token have vectors too (:mod:`scansion.layers.ngram_embedding`).  What
is forgotten of documents longer than the context: see :mod:`scansion.layers.causal_decoder`.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from scansion.errors import UsageError, did_you_mean
from scansion.layers.attention import MultiHeadAttention
from scansion.layers.causal_decoder import AttentionStep, CausalDecoder, LayerWindow, normed, transposed
from scansion.layers.dropout import Dropout
from scansion.layers.feed_forward import FeedForward
from scansion.layers.ngram_embedding import NgramEmbedding
from scansion.layers.orthogonal import move_orthogonally
from scansion.layers.positions import sinusoidal_positions
from scansion.layers.rotary import Turns, rotary_turns
from scansion.options import check_positive, check_shares, check_whole

POSITIONS = ("sinusoidal", "rotary")


@dataclass(frozen=True)
class CausalTransformer:
    """``layers`` of ``heads``; predictions depend on ``context`` tokens at most."""

    width: int = 128
    heads: int = 4
    layers: int = 4
    feed_forward: int = 512
    dropout: float = 0.1
    context: int = 128
    positions: str = "sinusoidal"
    """Or rotary."""
    ngrams: int = 1
    """Tokens of the longest n-gram that is added to its last token."""
    ngram_rows: int = 20_000
    """Vectors that the n-grams of each length share."""
    ngram_dropout: float = 0.0
    """How often training shows only the shorter of a token's n-grams: those longer than 3 are soon known by heart."""
    learning_rate: float = 1.5e-2

    learner: ClassVar[str] = "gradient"

    def __post_init__(self) -> None:
        check_whole(self, "heads", "layers", "feed_forward", "ngrams", "ngram_rows")
        check_whole(self, "width", step=2 * self.heads if self.heads % 2 else self.heads)
        check_whole(self, "context", least=2, step=2)
        if self.ngrams > self.context:
            raise UsageError(
                f"CausalTransformer: ngrams may be at most the context, {self.context} tokens; got {self.ngrams}."
            )
        check_shares(self, "dropout", "ngram_dropout")
        check_positive(self, "learning_rate")
        if self.positions not in POSITIONS:
            raise UsageError(f"There are no positions {self.positions!r}{did_you_mean(self.positions, POSITIONS)}")
        if self.positions == "rotary":
            check_whole(self, "width", step=2 * self.heads)  # numbers of a head are turned in pairs

    @property
    def window(self) -> int:
        """Tokens that are read at a time in training."""
        return self.context

    @property
    def stride(self) -> int:
        """Tokens from the beginning of a window in training to that of the next: each token is met with little before
        it and with much.
        """
        return max(1, self.window // 2)

    def build(self, vocab_size: int) -> "CausalTransformerNetwork":
        """The network for so many tokens, with fresh weights from torch's random state."""
        return CausalTransformerNetwork(self, vocab_size)


class CausalTransformerNetwork(CausalDecoder):
    """tokens (B, L), L at most the context -> (B, L, D), what the token after each is predicted from."""

    positions: Tensor | None

    def __init__(self, configuration: CausalTransformer, vocab_size: int) -> None:
        super().__init__()
        width, heads = configuration.width, configuration.heads
        self.configuration, self.context = configuration, configuration.context
        self.embedding = nn.Embedding(vocab_size, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        table = sinusoidal_positions(self.context, width) if configuration.positions == "sinusoidal" else None
        self.register_buffer("positions", table, persistent=False)
        self.turns = rotary_turns(self.context, width // heads) if configuration.positions == "rotary" else None
        self.ngrams = None
        if configuration.ngrams > 1:
            self.ngrams = NgramEmbedding(
                configuration.ngrams, configuration.ngram_rows, width, configuration.ngram_dropout
            )
        self.dropout = Dropout(configuration.dropout)
        sizes = (width, heads, configuration.feed_forward, configuration.dropout)
        self.blocks = nn.ModuleList(CausalBlock(*sizes) for _ in range(configuration.layers))
        self.norm = nn.LayerNorm(width)
        with torch.no_grad():
            for block in self.blocks:
                for last in (block.attention.output, block.feed_forward.outer):
                    last.weight.mul_((2 * configuration.layers) ** -0.5)
        for block in self.blocks:
            for linear in (*block.attention.linears(), block.feed_forward.inner, block.feed_forward.outer):
                move_orthogonally(linear.weight, 2 if linear is block.attention.key_value else 1)

    def embed(self, tokens: Tensor, positions: slice | Tensor, window: Tensor) -> Tensor:
        """See :class:`scansion.layers.causal_decoder.CausalDecoder`."""
        words = self.embedding(tokens)
        if self.ngrams is not None:
            at = torch.arange(window.shape[1], device=window.device)[positions].expand_as(tokens)
            words = words + self.ngrams(window, at.reshape(len(window), -1)).view_as(words)
        words = words * self.configuration.width**0.5
        return words if self.positions is None else words + self.positions[positions]

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        return self.embedding.weight


class CausalBlock(nn.Module):
    """One layer, norm first."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.keys = heads, width // heads
        self.attention_norm = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads)
        self.attention_dropout = Dropout(dropout)
        self.feed_forward = FeedForward(width, feed_forward, dropout)

    def forward(self, vectors: Tensor, turns: Turns | None) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, D) -> (B, L, D), and the keys and values (B, H, L, d)."""
        looking = self.attention_norm(vectors)
        keys, values = self.attention.keys_values(looking)
        if turns is not None:
            keys = turns.turned(keys)
        read = self.attention(looking, (keys, values), causal=True, turns=turns)
        return self.feed_forward(vectors + self.attention_dropout(read)), keys, values

    def stepping(self) -> "CausalBlockStep":
        """Its weights, as a step reads them."""
        return CausalBlockStep(self)


class CausalBlockStep:
    """One position more of a layer, (N, D) -> (N, D)."""

    def __init__(self, block: CausalBlock) -> None:
        part = block.feed_forward
        self.attention_norm, self.norm = normed(block.attention_norm), normed(part.norm)
        self.activation = part.activation
        self.attention = AttentionStep(block.attention, *block.keys)
        self.inner, self.outer = transposed(part.inner), transposed(part.outer)

    def __call__(
        self, vectors: Tensor, window: LayerWindow, length: int, at: slice | Tensor, seen: Tensor | None,
        turns: Turns | None,
    ) -> Tensor:
        """See :class:`scansion.layers.causal_decoder.AttentionStep`."""
        vectors = vectors + self.attention(self.attention_norm(vectors), window, length, at, seen, turns)
        return vectors + self.outer(self.activation(self.inner(self.norm(vectors))))
