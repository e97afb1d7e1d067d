"""RNN (Elman 1990): a state carried along, one step a word, mixed with each word by one matrix.

    h_t = tanh(W x_t + U h_(t-1) + b),    read from both ends, [h_t ; h'_t] at every position

Gradients pass through U once a word, so they vanish or explode with its eigenvalues (Bengio et al. 1994).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from scansion.layers.pooling import ConcatPooling
from scansion.layers.recurrent_encoder import RecurrentEncoder, Trace, from_state, from_words, trace_of
from scansion.options import check_positive, check_shares, check_whole
from scansion.text.batches import UNKNOWN


def rnn_trace(layer: Any, vectors: Tensor) -> Trace:
    """The formula over (L, D), one word after the other."""
    state, states = vectors.new_zeros(layer.hidden_size), []
    for word in from_words(layer, vectors):
        state = torch.tanh(word + from_state(layer, state))
        states.append(state)
    return trace_of(states, [], ())


@dataclass(frozen=True)
class RNN:
    """Both directions together are ``width`` wide."""

    width: int = 128
    dropout: float = 0.5
    word_dropout: float = 0.2
    learning_rate: float = 2e-3

    learner: ClassVar[str] = "gradient"
    reads: ClassVar[str] = "words"
    max_length: ClassVar[int | None] = None
    pooling: ClassVar[type[ConcatPooling]] = ConcatPooling
    word_sum: ClassVar[str] = "pretrained"
    pretraining: ClassVar[str | None] = "next-word"
    trace: ClassVar[Any] = staticmethod(rnn_trace)

    def __post_init__(self) -> None:
        check_whole(self, "width", step=2)
        check_shares(self, "dropout", "word_dropout")
        check_positive(self, "learning_rate")

    def build(self, words: int, char_ngrams: int = 0) -> RecurrentEncoder:
        """The network for so many words and character n-grams, with fresh weights from torch's random state."""
        return RecurrentEncoder(
            nn.RNN, words, char_ngrams, self.width, self.dropout, self.word_dropout, UNKNOWN
        )
