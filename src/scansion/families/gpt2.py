"""GPT-2 (Radford et al. 2019), as its weights are given away: a Transformer that writes, with learned positions.

    x = E[w] + P[position];   x = x + Attention(norm(x), past);   x = x + W2 GELU(W1 norm(x));   logits = norm(x) E^T

Its GELU is the approximation by tanh, unless its folder says otherwise.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from scansion.errors import UsageError, did_you_mean
from scansion.families.bert import ACTIVATIONS
from scansion.families.causal_transformer import CausalBlock
from scansion.layers.causal_decoder import CausalDecoder
from scansion.layers.dropout import Dropout
from scansion.layers.feed_forward import FeedForward
from scansion.options import check_positive, check_shares, check_whole

DEVIATION = 0.02
MOST_READ = 512  # tokens of a window in training, however long the context is


@dataclass(frozen=True)
class GPT2:
    """What its config.json says."""

    width: int = 768
    heads: int = 12
    layers: int = 12
    feed_forward: int = 3072
    context: int = 1024
    activation: str = "gelu_new"
    norm_epsilon: float = 1e-5
    tied: bool = True
    """Whether tokens are foretold with the table that also reads them."""
    dropout: float = 0.0
    learning_rate: float = 3e-4

    learner: ClassVar[str] = "gradient"
    output_bias: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_whole(self, "heads", "layers", "feed_forward")
        check_whole(self, "width", step=self.heads)
        check_whole(self, "context", least=2)
        check_shares(self, "dropout")
        check_positive(self, "learning_rate", "norm_epsilon")
        if self.activation not in ACTIVATIONS:
            raise UsageError(f"There is no activation {self.activation!r}{did_you_mean(self.activation, ACTIVATIONS)}")

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

    def build(self, vocab_size: int) -> "GPT2Network":
        """The network for so many tokens, with fresh weights from torch's random state."""
        return GPT2Network(self, vocab_size)


class GPT2Network(CausalDecoder):
    """tokens (B, L), L at most the context -> (B, L, D), what the token after each is predicted from."""

    def __init__(self, configuration: GPT2, vocab_size: int) -> None:
        super().__init__()
        width, epsilon = configuration.width, configuration.norm_epsilon
        self.configuration, self.context = configuration, configuration.context
        self.embedding = nn.Embedding(vocab_size, width)
        self.positions = nn.Parameter(torch.empty(self.context, width))
        self.output = None if configuration.tied else nn.Parameter(torch.empty(vocab_size, width))
        for table in (self.embedding.weight, self.positions, self.output):
            if table is not None:
                nn.init.normal_(table, std=DEVIATION)
        self.dropout = Dropout(configuration.dropout)
        self.blocks = nn.ModuleList(
            CausalBlock(width, configuration.heads, configuration.feed_forward, configuration.dropout)
            for _ in range(configuration.layers)
        )
        for block in self.blocks:
            block.attention_norm.eps = epsilon
            block.feed_forward = FeedForward(
                width, configuration.feed_forward, configuration.dropout, ACTIVATIONS[configuration.activation], epsilon
            )
        self.norm = nn.LayerNorm(width, epsilon)

    def embed(self, tokens: Tensor, positions: slice | Tensor, window: Tensor) -> Tensor:
        """See :class:`scansion.layers.causal_decoder.CausalDecoder`."""
        return self.embedding(tokens) + self.positions[positions]

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        return self.embedding.weight if self.output is None else self.output
