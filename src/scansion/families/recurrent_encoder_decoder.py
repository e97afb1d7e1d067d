"""Recurrent encoder-decoder with attention (Bahdanau et al. 2015): the target looks back at the source.

    source:  h_j = [forwards ; backwards] over E[s]
    target:  c_t = Attention(z_(t-1), h),   z_t = cell([E[y_(t-1)] ; c_t], z_(t-1))
             o_t = tanh(W [z_t ; c_t ; E[y_(t-1)]])

The cell is an LSTM's (Hochreiter and Schmidhuber 1997) or Elman's (1990); z_0 = tanh(V h'_1) of the backward reading.
An LSTM's forget gate begins open (bias 1, Jozefowicz et al. 2015, section 2.2).
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from scansion.layers.additive_attention import AdditiveAttention
from scansion.layers.bidirectional import Bidirectional
from scansion.layers.dropout import Dropout
from scansion.options import check_positive, check_shares, check_whole


@dataclass(frozen=True)
class LSTMEncoderDecoder:
    """Pieces are ``width`` wide, states ``hidden``."""

    width: int = 128
    hidden: int = 256
    dropout: float = 0.2
    learning_rate: float = 4e-3

    learner: ClassVar[str] = "gradient"
    longest: ClassVar[int | None] = None
    recurrent: ClassVar[type[nn.RNNBase]] = nn.LSTM
    cell: ClassVar[type[nn.RNNCellBase]] = nn.LSTMCell

    def __post_init__(self) -> None:
        check_whole(self, "width")
        check_whole(self, "hidden", step=2)
        check_shares(self, "dropout")
        check_positive(self, "learning_rate")

    def build(self, pieces: int) -> "RecurrentEncoderDecoder":
        """The network for so many pieces, with fresh weights from torch's random state."""
        return RecurrentEncoderDecoder(self, pieces)


@dataclass(frozen=True)
class RNNEncoderDecoder(LSTMEncoderDecoder):
    """The same with Elman's cell."""

    dropout: float = 0.3
    learning_rate: float = 2e-3

    recurrent: ClassVar[type[nn.RNNBase]] = nn.RNN
    cell: ClassVar[type[nn.RNNCellBase]] = nn.RNNCell


class RecurrentEncoderDecoder(nn.Module):
    """source (B, S), mask (B, S), target (B, T) -> (B, T, D), the vectors that speak for the next target token."""

    def __init__(self, configuration: LSTMEncoderDecoder, pieces: int) -> None:
        super().__init__()
        self.configuration = configuration
        width, hidden = configuration.width, configuration.hidden
        self.embedding = nn.Embedding(pieces, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.source_dropout, self.target_dropout = Dropout(configuration.dropout), Dropout(configuration.dropout)
        self.read_dropout, self.output_dropout = Dropout(configuration.dropout), Dropout(configuration.dropout)
        self.encoder = Bidirectional(*(
            configuration.recurrent(width, hidden // 2, batch_first=True) for _ in range(2)
        ))
        self.bridge = nn.Linear(hidden // 2, hidden)
        self.attention = AdditiveAttention(hidden, hidden, hidden)
        self.cell = configuration.cell(width + hidden, hidden)
        self.output = nn.Linear(2 * hidden + width, width)
        for layer in (self.encoder.forwards, self.encoder.backwards, self.cell):
            if isinstance(layer, nn.LSTM | nn.LSTMCell):
                open_forget_gate(layer)

    def forward(self, source: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        state = self.begin(source, mask, target.shape[1])
        words = self.target_dropout(self.embedding(target))  # (B, T, D)
        parts = []
        for position in range(target.shape[1]):
            part, state = self.write(words[:, position], state)
            parts.append(part)
        return torch.tanh(self.output(self.output_dropout(torch.stack(parts, dim=1))))

    @property
    def table(self) -> Tensor:
        """What the scores of the next token are made with, (V, D)."""
        return self.embedding.weight

    def begin(self, source: Tensor, mask: Tensor, room: int) -> "RecurrentWriting":
        """Read the sources, one hypothesis each; a state of fixed size needs no ``room``."""
        read = self.read_dropout(self.encoder(self.source_dropout(self.embedding(source)), mask))  # (B, S, C)
        first = torch.tanh(self.bridge(read[:, 0, read.shape[2] // 2 :]))  # the backward reading ends at the first word
        state = (first, torch.zeros_like(first)) if isinstance(self.cell, nn.LSTMCell) else (first,)
        return RecurrentWriting(state, read, self.attention.keys(read), mask)

    def step(self, last: Tensor, state: "RecurrentWriting") -> tuple[Tensor, "RecurrentWriting"]:
        """The last tokens (N,) -> the vectors that speak for the next (N, D)."""
        part, state = self.write(self.embedding(last), state)
        return torch.tanh(self.output(part)), state

    def write(self, words: Tensor, state: "RecurrentWriting") -> tuple[Tensor, "RecurrentWriting"]:
        """The vectors of the last tokens (N, D) -> [z_t ; c_t ; E y] (N, 2 hidden + D)."""
        context, _ = self.attention(state.state[0], state.keys, state.read, state.mask)
        inside = torch.cat([words, context], dim=1)
        if isinstance(self.cell, nn.LSTMCell):
            after = self.cell(inside, state.state)
        else:
            after = (self.cell(inside, state.state[0]),)
        return torch.cat([after[0], context, words], dim=1), replace(state, state=after)


@torch.no_grad()
def open_forget_gate(layer: nn.LSTM | nn.LSTMCell) -> None:
    """The second quarter of an LSTM's gates: their input bias becomes 1."""
    hidden = layer.hidden_size
    for name, bias in layer.named_parameters():
        if name.startswith("bias_ih"):
            bias[hidden : 2 * hidden] = 1.0


@dataclass(frozen=True)
class RecurrentWriting:
    """The state (N, hidden), with an LSTM's second one, and what each hypothesis reads from, all of N rows."""

    state: tuple[Tensor, ...]
    read: Tensor  # (N, S, C)
    keys: Tensor  # (N, S, hidden)
    mask: Tensor  # (N, S)

    def select(self, rows: Tensor, hypotheses: int) -> "RecurrentWriting":
        """The given hypotheses (M,), so many a source."""
        state = tuple(each[rows] for each in self.state)
        same_sources = len(rows) == len(self.mask)
        if same_sources:  # a hypothesis descends from one of the same source
            return replace(self, state=state)
        return RecurrentWriting(state, self.read[rows], self.keys[rows], self.mask[rows])
