"""LSTM (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000): a state that gates protect.

    i, f, o = sigmoid(W x_t + U h_(t-1) + b),      g = tanh(W' x_t + U' h_(t-1) + b')
    c_t = f * c_(t-1) + i * g,                     h_t = o * tanh(c_t)

Along c the gradient is multiplied by gates, not by a matrix.  Read from both ends, [h_t ; h'_t] at every position.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from scansion.layers.pooling import MeanMaxPooling
from scansion.layers.recurrent_encoder import RecurrentEncoder, Trace, from_state, from_words, trace_of
from scansion.options import check_positive, check_shares, check_whole
from scansion.text.batches import UNKNOWN


def lstm_trace(layer: Any, vectors: Tensor) -> Trace:
    """The formula over (L, D), one word after the other; torch keeps i, f, g and o one below the other."""
    state = memory = vectors.new_zeros(layer.hidden_size)
    states, gates = [], []
    for word in from_words(layer, vectors):
        i, f, g, o = (word + from_state(layer, state)).chunk(4)
        i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()
        memory = f * memory + i * torch.tanh(g)
        state = o * torch.tanh(memory)
        states.append(state)
        gates.append((i, f, o))
    return trace_of(states, gates, ("input gate", "forget gate", "output gate"))


@dataclass(frozen=True)
class LSTM:
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
    trace: ClassVar[Any] = staticmethod(lstm_trace)

    def __post_init__(self) -> None:
        check_whole(self, "width", step=2)
        check_shares(self, "dropout", "word_dropout")
        check_positive(self, "learning_rate")

    def build(self, words: int, char_ngrams: int = 0) -> RecurrentEncoder:
        """The network for so many words and character n-grams, with fresh weights from torch's random state."""
        return RecurrentEncoder(
            nn.LSTM, words, char_ngrams, self.width, self.dropout, self.word_dropout, UNKNOWN
        )
