"""Recurrent encoder-decoder with attention (Bahdanau et al. 2015): the target looks back at the source.

    source:  h_j = [forwards ; backwards] over E[s]
    target:  c_t = Attention(z_(t-1), h),   z_t = cell([E[y_(t-1)] ; c_t], z_(t-1))
             o_t = tanh(W [z_t ; c_t ; E[y_(t-1)]])

The cell is an LSTM's (Hochreiter and Schmidhuber 1997) or Elman's (1990); z_0 = tanh(V h'_1) of the backward reading.
An LSTM's forget gate begins open (bias 1, Jozefowicz et al. 2015, section 2.2).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from scansion.layers.additive_attention import AdditiveAttention
from scansion.layers.bidirectional import Bidirectional
from scansion.layers.dropout import Dropout
from scansion.options import check_positive, check_shares, check_whole

States = tuple[Tensor, ...]


def without_memory(cell: nn.Module, inside: Tensor, states: States) -> States:
    """One step of a cell that carries one state, (N, D) and (N, hidden) -> (N, hidden)."""
    return (cell(inside, states[0]),)


def with_memory(cell: nn.Module, inside: Tensor, states: States) -> States:
    """One step of an LSTM's cell, which carries a second one."""
    return cell(inside, states)


def as_drawn(layer: nn.Module) -> None:
    """The first weights stay as they were drawn."""


@torch.no_grad()
def open_forget_gate(layer: nn.Module) -> None:
    """The second quarter of an LSTM's gates: their input bias becomes 1."""
    for name, bias in layer.named_parameters():
        if name.startswith("bias_ih"):
            hidden = len(bias) // 4
            bias[hidden : 2 * hidden] = 1.0


@dataclass(frozen=True)
class RecurrentOptions:
    """Subwords are ``width`` wide, states ``hidden_size``.  Which cell it is, each family below declares."""

    width: int = 128
    hidden_size: int = 256
    dropout: float = 0.3
    learning_rate: float = 2e-3

    learner: ClassVar[str] = "gradient"
    pretraining: ClassVar[str | None] = None
    max_length: ClassVar[int | None] = None
    layer: ClassVar[Callable[..., nn.RNNBase]]
    cell: ClassVar[Callable[..., nn.RNNCellBase]]
    step: ClassVar[Any] = staticmethod(without_memory)
    states: ClassVar[int] = 1
    initialise: ClassVar[Any] = staticmethod(as_drawn)

    def __post_init__(self) -> None:
        check_whole(self, "width")
        check_whole(self, "hidden_size", step=2)
        check_shares(self, "dropout")
        check_positive(self, "learning_rate")

    def build(self, vocab_size: int) -> "RecurrentEncoderDecoder":
        """The network for so many subwords, with fresh weights from torch's random state."""
        return RecurrentEncoderDecoder(self, vocab_size)


@dataclass(frozen=True)
class RNNEncoderDecoder(RecurrentOptions):
    """With Elman's cell."""

    layer: ClassVar[Callable[..., nn.RNNBase]] = nn.RNN
    cell: ClassVar[Callable[..., nn.RNNCellBase]] = nn.RNNCell


@dataclass(frozen=True)
class LSTMEncoderDecoder(RecurrentOptions):
    """With an LSTM's cell."""

    dropout: float = 0.2
    learning_rate: float = 4e-3

    layer: ClassVar[Callable[..., nn.RNNBase]] = nn.LSTM
    cell: ClassVar[Callable[..., nn.RNNCellBase]] = nn.LSTMCell
    step: ClassVar[Any] = staticmethod(with_memory)
    states: ClassVar[int] = 2
    initialise: ClassVar[Any] = staticmethod(open_forget_gate)


class RecurrentEncoderDecoder(nn.Module):
    """source (B, S), mask (B, S), target (B, T) -> (B, T, D), what the next target token is predicted from."""

    def __init__(self, configuration: RecurrentOptions, vocab_size: int) -> None:
        super().__init__()
        self.configuration = configuration
        width, hidden = configuration.width, configuration.hidden_size
        self.embedding = nn.Embedding(vocab_size, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.source_dropout, self.target_dropout = Dropout(configuration.dropout), Dropout(configuration.dropout)
        self.read_dropout, self.output_dropout = Dropout(configuration.dropout), Dropout(configuration.dropout)
        self.encoder = Bidirectional(*(
            configuration.layer(width, hidden // 2, batch_first=True) for _ in range(2)
        ))
        self.bridge = nn.Linear(hidden // 2, hidden)
        self.attention = AdditiveAttention(hidden, hidden, hidden)
        self.cell = configuration.cell(width + hidden, hidden)
        self.output = nn.Linear(2 * hidden + width, width)
        for layer in (self.encoder.forwards, self.encoder.backwards, self.cell):
            configuration.initialise(layer)

    def forward(self, source: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        state = self.init_state(source, mask, target.shape[1])
        words = self.target_dropout(self.embedding(target))  # (B, T, D)
        parts = []
        for position in range(target.shape[1]):
            part, state = self.decode(words[:, position], state)
            parts.append(part)
        return torch.tanh(self.output(self.output_dropout(torch.stack(parts, dim=1))))

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        return self.embedding.weight

    def init_state(self, source: Tensor, mask: Tensor, room: int) -> "AttentionState":
        """Read the sources, one hypothesis each; a state of fixed size needs no ``room``."""
        read = self.read_dropout(self.encoder(self.source_dropout(self.embedding(source)), mask))  # (B, S, C)
        first = torch.tanh(self.bridge(read[:, 0, read.shape[2] // 2 :]))  # the backward reading ends at the first word
        memory = (torch.zeros_like(first) for _ in range(self.configuration.states - 1))
        return AttentionState((first, *memory), read, self.attention.keys(read), mask)

    def step(self, last: Tensor, state: "AttentionState") -> tuple[Tensor, "AttentionState"]:
        """The last tokens (N,) -> the vectors that the next is predicted from, (N, D)."""
        part, state = self.decode(self.embedding(last), state)
        return torch.tanh(self.output(part)), state

    def decode(self, words: Tensor, state: "AttentionState") -> tuple[Tensor, "AttentionState"]:
        """The vectors of the last tokens (N, D) -> [z_t ; c_t ; E y] (N, 2 hidden + D)."""
        context, _ = self.attention(state.state[0], state.keys, state.read, state.mask)
        inside = torch.cat([words, context], dim=1)
        after = self.configuration.step(self.cell, inside, state.state)
        return torch.cat([after[0], context, words], dim=1), replace(state, state=after)


@dataclass(frozen=True)
class AttentionState:
    """The state (N, hidden), with an LSTM's second one, and what each hypothesis reads from, all of N rows."""

    state: States
    read: Tensor  # (N, S, C)
    keys: Tensor  # (N, S, hidden)
    mask: Tensor  # (N, S)

    def reorder(self, rows: Tensor, hypotheses: int) -> "AttentionState":
        """The given hypotheses (M,), so many a source."""
        state = tuple(each[rows] for each in self.state)
        same_sources = len(rows) == len(self.mask)
        if same_sources:  # a hypothesis descends from one of the same source
            return replace(self, state=state)
        return AttentionState(state, self.read[rows], self.keys[rows], self.mask[rows])
