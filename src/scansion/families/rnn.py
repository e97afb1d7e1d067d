"""RNN (Elman 1990): a state carried along, one step a word, mixed with each word by one matrix.

    h_t = tanh(W x_t + U h_(t-1) + b),    read from both ends, [h_t ; h'_t] at every position

Gradients pass through U once a word, so they vanish or explode with its eigenvalues (Bengio et al. 1994).
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from scansion.layers.bidirectional import Bidirectional
from scansion.layers.embedding import WordEmbedding
from scansion.layers.pooling import ConcatPooling
from scansion.options import check_positive, check_shares, check_whole
from scansion.text.batches import UNKNOWN


@dataclass(frozen=True)
class RNN:
    """Both directions together are ``width`` wide."""

    width: int = 128
    dropout: float = 0.5
    word_dropout: float = 0.2
    learning_rate: float = 2e-3

    learner: ClassVar[str] = "gradient"
    longest: ClassVar[int | None] = None
    pooling: ClassVar[type[ConcatPooling]] = ConcatPooling
    words_beside: ClassVar[str] = "pretrained"

    def __post_init__(self) -> None:
        check_whole(self, "width", step=2)
        check_shares(self, "dropout", "word_dropout")
        check_positive(self, "learning_rate")

    def build(self, words: int, pieces: int = 0) -> "RNNReader":
        """The network for so many words and pieces, with fresh weights from torch's random state."""
        return RNNReader(self, words, pieces)


class RNNReader(nn.Module):
    """tokens (B, L), mask (B, L) -> (B, L, D)."""

    def __init__(self, configuration: RNN, words: int, pieces: int) -> None:
        super().__init__()
        width, dropout = configuration.width, configuration.dropout
        self.embedding = WordEmbedding(words, pieces, width, dropout, configuration.word_dropout, UNKNOWN)
        self.states = Bidirectional(
            nn.RNN(width, width // 2, batch_first=True), nn.RNN(width, width // 2, batch_first=True)
        )

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.read(self.embedding(tokens), mask)

    def read(self, words: Tensor, mask: Tensor) -> Tensor:
        """Word vectors (B, L, D), mask (B, L) -> (B, L, D)."""
        return self.states(words, mask)
