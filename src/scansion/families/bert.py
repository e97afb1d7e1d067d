"""BERT (Devlin et al. 2019): the Transformer's encoder, trained to guess hidden words, and then used for everything.

    x = norm(words + positions)                     (learned positions, up to ``max_length``)
    x = norm(x + MultiHeadAttention(x))
    x = norm(x + W2 GELU(W1 x))                     (GELU: Hendrycks and Gimpel 2016)

The norm stands behind each part, as in Vaswani et al. 2017.  RoBERTa (Liu et al. 2019) and DistilBERT (Sanh et al.
2019) are the same network; in MPNet (Song et al. 2020) attention also knows how far apart two positions are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from scansion.errors import UsageError, did_you_mean
from scansion.layers.attention import MultiHeadAttention, attention_mask
from scansion.layers.dropout import Dropout
from scansion.layers.feed_forward import tokens_in_cache
from scansion.layers.lr_scale import set_lr_scale
from scansion.layers.pooling import MeanMaxPooling
from scansion.layers.relative_position_bias import RelativePositionBias
from scansion.options import check_positive, check_shares, check_whole

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_new": lambda vectors: functional.gelu(vectors, approximate="tanh"),
    "relu": torch.relu,
}
DEVIATION = 0.02


@dataclass(frozen=True)
class Bert:
    """An encoder that reads ``positions`` tokens at a time."""

    width: int = 384
    heads: int = 12
    layers: int = 6
    feed_forward: int = 1536
    positions: int = 512
    activation: str = "gelu"
    norm_epsilon: float = 1e-12
    relative_positions: int = 0
    """Buckets of relative positions that attention tells apart; 0 for none."""
    dropout: float = 0.1
    learning_rate: float = 1e-3
    lr_scale: float = 1.0
    """The last layer's learning rate, as a multiple of the head's."""
    layer_decay: float = 0.0
    """By how much slower each layer learns than the one above it."""

    learner: ClassVar[str] = "gradient"
    pooling: ClassVar[type[MeanMaxPooling]] = MeanMaxPooling
    word_sum: ClassVar[str] = "never"
    pretraining: ClassVar[str | None] = "masked-word"
    trace: ClassVar[None] = None

    def __post_init__(self) -> None:
        check_whole(self, "heads", "layers", "feed_forward")
        check_whole(self, "width", step=self.heads)
        check_whole(self, "positions", least=4)
        check_whole(self, "relative_positions", least=0)
        check_shares(self, "dropout", "layer_decay")
        check_positive(self, "norm_epsilon", "learning_rate", "lr_scale")
        if self.activation not in ACTIVATIONS:
            raise UsageError(f"There is no activation {self.activation!r}{did_you_mean(self.activation, ACTIVATIONS)}")

    @property
    def max_length(self) -> int:
        """Tokens of a text that are read at a time, beside the two of the frame."""
        return self.positions - 2

    def build(self, words: int, char_ngrams: int = 0) -> "BertEncoder":
        """The network for so many words, its tokenizer's; with fresh weights from torch's random state."""
        return BertEncoder(self, words)


class BertEncoder(nn.Module):
    """tokens (B, L), mask (B, L) -> (B, L, D)."""

    def __init__(self, configuration: Bert, words: int) -> None:
        super().__init__()
        self.configuration = configuration
        self.tokens_at_a_time = tokens_in_cache(configuration.feed_forward)
        width, epsilon = configuration.width, configuration.norm_epsilon
        self.words = nn.Embedding(words, width, sparse=True)
        self.positions = nn.Parameter(torch.empty(configuration.positions, width))
        self.norm = nn.LayerNorm(width, epsilon)
        self.dropout = Dropout(configuration.dropout)
        heads, relative_positions = configuration.heads, configuration.relative_positions
        self.relative_positions = RelativePositionBias(relative_positions, heads) if relative_positions else None
        self.blocks = nn.ModuleList(BertBlock(configuration) for _ in range(configuration.layers))
        for weights in (self.words.weight, self.positions):
            nn.init.normal_(weights, std=DEVIATION)
        for name, parameter in self.named_parameters():
            depth = int(name.split(".")[1]) if name.startswith("blocks.") else -1
            decay = (1 - configuration.layer_decay) ** (len(self.blocks) - 1 - depth)
            set_lr_scale(parameter, configuration.lr_scale * decay)

    @property
    def embedding(self) -> nn.Embedding:
        """Tokens to vectors, as every reading network has it."""
        return self.words

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.read(self.words(tokens), mask)

    def read(self, words: Tensor, mask: Tensor) -> Tensor:
        """Word vectors (B, L, D), mask (B, L) -> (B, L, D)."""
        length = words.shape[1]
        vectors = self.dropout(self.norm(words + self.positions[:length]))
        seen = attention_mask(mask)
        if self.relative_positions is not None:
            bias = self.relative_positions(length)
            seen = bias if seen is None else bias.masked_fill(~seen, float("-inf"))
        for block in self.blocks:
            vectors = block(vectors, seen)
        return vectors


class BertBlock(nn.Module):
    """vectors (B, L, D) and where each may look -> (B, L, D)."""

    def __init__(self, configuration: Bert) -> None:
        super().__init__()
        width, epsilon = configuration.width, configuration.norm_epsilon
        self.attention = MultiHeadAttention(width, configuration.heads)
        self.attention_norm = nn.LayerNorm(width, epsilon)
        self.inner = nn.Linear(width, configuration.feed_forward)
        self.outer = nn.Linear(configuration.feed_forward, width)
        self.outer_norm = nn.LayerNorm(width, epsilon)
        self.activation = ACTIVATIONS[configuration.activation]
        self.attention_dropout, self.outer_dropout = Dropout(configuration.dropout), Dropout(configuration.dropout)

    def forward(self, vectors: Tensor, seen: Tensor | None) -> Tensor:
        read = self.attention(vectors, self.attention.keys_values(vectors), seen)
        vectors = self.attention_norm(vectors + self.attention_dropout(read))
        return self.outer_norm(vectors + self.outer_dropout(self.outer(self.activation(self.inner(vectors)))))
