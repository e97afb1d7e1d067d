"""Transformer (Vaswani et al. 2017): every position looks at every other; order comes from positions alone.

    x = words + sinusoids
    x = x + MultiHeadAttention(norm(x))           (section 3.2)
    x = x + W2 ReLU(W1 norm(x))                   (section 3.3)

The encoder of the paper's Figure 1, with the norm before each part (Xiong et al. 2020): it trains without tricks.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from scansion.layers.attention import MultiHeadAttention, attention_mask
from scansion.layers.dropout import Dropout
from scansion.layers.embedding import DEVIATION, WordEmbedding
from scansion.layers.feed_forward import ACTIVATIONS, FeedForward, tokens_in_cache
from scansion.layers.pooling import MeanMaxPooling
from scansion.layers.positions import POSITIONS, PositionTable
from scansion.options import check_among, check_positive, check_shares, check_whole
from scansion.text.batches import UNKNOWN


@dataclass(frozen=True)
class Transformer:
    """A document of more than ``max_length`` tokens is read in overlapping windows of that size.

    ``positions`` are ``sinusoidal``, ``learned`` or ``none``; ``activation`` is the feed-forward part's: ``relu``,
    ``gelu``, ``tanh`` or ``sigmoid``.
    """

    width: int = 128
    heads: int = 4
    layers: int = 1
    feed_forward: int = 256
    dropout: float = 0.3
    embedding_dropout: float = 0.3
    word_dropout: float = 0.2
    max_length: int = 4096
    learning_rate: float = 5e-4
    positions: str = "sinusoidal"
    activation: str = "relu"

    learner: ClassVar[str] = "gradient"
    reads: ClassVar[str] = "words"
    pooling: ClassVar[type[MeanMaxPooling]] = MeanMaxPooling
    word_sum: ClassVar[str] = "always"
    pretraining: ClassVar[str | None] = "masked-word"
    trace: ClassVar[None] = None

    def __post_init__(self) -> None:
        check_whole(self, "heads", "layers", "feed_forward")
        check_whole(self, "width", step=2 * self.heads if self.heads % 2 else self.heads)
        check_whole(self, "max_length", least=2)
        check_shares(self, "dropout", "embedding_dropout", "word_dropout")
        check_positive(self, "learning_rate")
        check_among(self, "positions", POSITIONS)
        check_among(self, "activation", ACTIVATIONS)

    def build(self, words: int, char_ngrams: int = 0) -> "TransformerEncoder":
        """The network for so many words and character n-grams, with fresh weights from torch's random state."""
        return TransformerEncoder(self, words, char_ngrams)


class TransformerEncoder(nn.Module):
    """tokens (B, L), mask (B, L) -> (B, L, D)."""

    def __init__(self, configuration: Transformer, words: int, char_ngrams: int) -> None:
        super().__init__()
        width, word_dropout = configuration.width, configuration.word_dropout
        self.tokens_at_a_time = tokens_in_cache(configuration.feed_forward)
        self.embedding = WordEmbedding(words, char_ngrams, width, 0.0, word_dropout, UNKNOWN)
        self.positions = PositionTable(configuration.positions, configuration.max_length, width, DEVIATION)
        self.dropout = Dropout(configuration.embedding_dropout)
        sizes = (width, configuration.heads, configuration.feed_forward, configuration.dropout)
        kind = configuration.activation
        self.blocks = nn.ModuleList(TransformerBlock(*sizes, kind) for _ in range(configuration.layers))
        self.norm = nn.LayerNorm(configuration.width)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.read(self.embedding(tokens), mask)

    def read(self, words: Tensor, mask: Tensor) -> Tensor:
        """Word vectors (B, L, D), mask (B, L) -> (B, L, D)."""
        vectors, seen = self.dropout(self.positions(words)), attention_mask(mask)
        for block in self.blocks:
            vectors = block(vectors, seen)
        return self.norm(vectors)


class TransformerBlock(nn.Module):
    """The paper's encoder layer, norm first: vectors (B, L, D) and where each may look -> (B, L, D)."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float, activation: str = "relu") -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads)
        self.attention_dropout = Dropout(dropout)
        self.feed_forward = FeedForward(width, feed_forward, dropout, ACTIVATIONS[activation])

    def forward(self, vectors: Tensor, seen: Tensor | None) -> Tensor:
        looking = self.attention_norm(vectors)
        read = self.attention(looking, self.attention.keys_values(looking), seen)
        return self.feed_forward(vectors + self.attention_dropout(read))
