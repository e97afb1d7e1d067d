"""GRU (Cho et al. 2014, section 2.3): two gates and no second state.

    r, z = sigmoid(W x_t + U h_(t-1) + b),      n = tanh(W' x_t + r * (U' h_(t-1) + b'))
    h_t = (1 - z) * n + z * h_(t-1)

The reset gate r forgets before it reads, the update gate z keeps the state as it is: where it is 1 the gradient passes
unchanged.  In torch's form r multiplies what comes from the state after its matrix, not before, so that one product
serves all three.  Read from both ends, [h_t ; h'_t] at every position.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from scansion.layers.pooling import MeanMaxPooling
from scansion.layers.recurrent_encoder import RecurrentEncoder, Trace, from_state, from_words, trace_of
from scansion.options import check_positive, check_shares, check_whole
from scansion.text.batches import UNKNOWN


def gru_trace(layer: Any, vectors: Tensor) -> Trace:
    """The formula over (L, D), one word after the other; torch keeps r, z and n one below the other."""
    state, states, gates = vectors.new_zeros(layer.hidden_size), [], []
    for word in from_words(layer, vectors):
        (word_r, word_z, word_n), (r, z, n) = word.chunk(3), from_state(layer, state).chunk(3)
        r, z = (word_r + r).sigmoid(), (word_z + z).sigmoid()
        state = (1 - z) * torch.tanh(word_n + r * n) + z * state
        states.append(state)
        gates.append((r, z))
    return trace_of(states, gates, ("reset gate", "update gate"))


@dataclass(frozen=True)
class GRU:
    """Both directions together are ``width`` wide."""

    width: int = 128
    dropout: float = 0.5
    word_dropout: float = 0.3
    learning_rate: float = 2e-3

    learner: ClassVar[str] = "gradient"
    reads: ClassVar[str] = "words"
    max_length: ClassVar[int | None] = None
    pooling: ClassVar[type[MeanMaxPooling]] = MeanMaxPooling
    word_sum: ClassVar[str] = "pretrained"
    pretraining: ClassVar[str | None] = "next-word"
    trace: ClassVar[Any] = staticmethod(gru_trace)

    def __post_init__(self) -> None:
        check_whole(self, "width", step=2)
        check_shares(self, "dropout", "word_dropout")
        check_positive(self, "learning_rate")

    def build(self, words: int, char_ngrams: int = 0) -> RecurrentEncoder:
        """The network for so many words and character n-grams, with fresh weights from torch's random state."""
        return RecurrentEncoder(
            nn.GRU, words, char_ngrams, self.width, self.dropout, self.word_dropout, UNKNOWN
        )
