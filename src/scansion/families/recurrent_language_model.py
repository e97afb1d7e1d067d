"""Recurrent language models (Mikolov et al. 2010; Sundermeyer et al. 2012): all that was read is a state of fixed size.

    z_t = cell(E[w_t], z_(t-1)),    logits = (W z_t + b) E^T + b'

The cell is Elman's (1990), a GRU's (Cho et al. 2014) or an LSTM's (Hochreiter and Schmidhuber 1997), whose forget gate
begins open (bias 1, Jozefowicz et al. 2015, section 2.2).  One embedding E serves what is read and what is foretold
(Press and Wolf 2017).  Training reads ``window`` tokens at a time, from the state in which the window before ended
(:mod:`scansion.layers.carried_state`); a document is scored and written with the state carried from its beginning on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from scansion.families.recurrent_encoder_decoder import as_drawn, open_forget_gate
from scansion.layers.carried_state import CarriedState
from scansion.layers.dropout import Dropout
from scansion.options import check_positive, check_shares, check_whole
from scansion.text.stretches import WindowBatch

PIECE = 512  # positions that are read at a time where nothing is learned


@dataclass(frozen=True)
class RecurrentLanguageOptions:
    """``layers`` of states ``hidden_size`` wide over tokens ``width`` wide; each family below declares its cell."""

    width: int = 128
    hidden_size: int = 384
    layers: int = 1
    dropout: float = 0.2
    window: int = 64
    learning_rate: float = 4e-3

    learner: ClassVar[str] = "gradient"
    context: ClassVar[int | None] = None
    layer: ClassVar[Callable[..., nn.RNNBase]]
    states: ClassVar[int] = 1
    initialise: ClassVar[Any] = staticmethod(as_drawn)

    def __post_init__(self) -> None:
        check_whole(self, "width", "hidden_size", "layers")
        check_whole(self, "window", least=2)
        check_shares(self, "dropout")
        check_positive(self, "learning_rate")

    @property
    def stride(self) -> int:
        """Tokens from the beginning of a window in training to that of the next: it goes on where the last one ends."""
        return self.window

    def build(self, vocab_size: int) -> "RecurrentLanguageNetwork":
        """The network for so many tokens, with fresh weights from torch's random state."""
        return RecurrentLanguageNetwork(self, vocab_size)


@dataclass(frozen=True)
class RNNLanguageModel(RecurrentLanguageOptions):
    """With Elman's cell."""

    learning_rate: float = 1e-3

    layer: ClassVar[Callable[..., nn.RNNBase]] = nn.RNN


@dataclass(frozen=True)
class GRULanguageModel(RecurrentLanguageOptions):
    """With a GRU's cell."""

    layer: ClassVar[Callable[..., nn.RNNBase]] = nn.GRU


@dataclass(frozen=True)
class LSTMLanguageModel(RecurrentLanguageOptions):
    """With an LSTM's cell."""

    layer: ClassVar[Callable[..., nn.RNNBase]] = nn.LSTM
    states: ClassVar[int] = 2
    initialise: ClassVar[Any] = staticmethod(open_forget_gate)


class RecurrentLanguageNetwork(nn.Module):
    """tokens (B, L) -> (B, L, D), what the token after each is predicted from."""

    layers: Any  # a list of recurrent layers

    def __init__(self, configuration: RecurrentLanguageOptions, vocab_size: int) -> None:
        super().__init__()
        width, hidden = configuration.width, configuration.hidden_size
        self.configuration = configuration
        self.embedding = nn.Embedding(vocab_size, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        widths = [width] + [hidden] * (configuration.layers - 1)
        self.layers = nn.ModuleList(configuration.layer(each, hidden, batch_first=True) for each in widths)
        self.dropouts = nn.ModuleList(Dropout(configuration.dropout) for _ in range(configuration.layers + 1))
        self.output = nn.Linear(hidden, width)
        self.carried = CarriedState()
        for layer in self.layers:
            configuration.initialise(layer)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.going_on(tokens, self.start(len(tokens)))[0]

    def following(self, tokens: Tensor, batch: WindowBatch) -> Tensor:
        """The same in training: the rows of a batch that go on begin with the state of those before."""
        vectors, after = self.going_on(tokens, self.carried.before(self.start(len(tokens)), batch.rows, batch.goes_on))
        if batch.ends:
            self.carried.forget()
        else:
            self.carried.keep(after, batch.rows)
        return vectors

    @property
    def carries_on(self) -> bool:
        """Whether the next batch in training depends on the last one."""
        return self.carried.state is not None

    def pieces(self, tokens: Tensor) -> Iterator[Tensor]:
        """The same, some positions after the other, the state carried from piece to piece."""
        state = self.start(len(tokens))
        for piece in tokens.split(PIECE, dim=1):
            vectors, state = self.going_on(piece, state)
            yield vectors

    def start(self, rows: int) -> "RecurrentState":
        """Of so many documents of which nothing was read yet."""
        zeros = torch.zeros(self.configuration.states, rows, self.configuration.hidden_size)
        return RecurrentState([zeros for _ in self.layers])

    def going_on(self, tokens: Tensor, state: "RecurrentState") -> tuple[Tensor, "RecurrentState"]:
        """(B, L) -> (B, L, D), and the state then."""
        vectors, after = self.dropouts[0](self.embedding(tokens)), []
        for layer, dropout, before in zip(self.layers, self.dropouts[1:], state.states, strict=True):
            parts = tuple(before[:, None].unbind())  # each (1, B, hidden)
            vectors, then = layer(vectors, parts if len(parts) > 1 else parts[0])
            after.append(torch.cat(then if isinstance(then, tuple) else (then,)))
            vectors = dropout(vectors)
        return self.output(vectors), RecurrentState(after)

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        return self.embedding.weight

    def state_after(self, rows: list[Tensor]) -> "RecurrentState":
        """What remains of documents, (L,) tokens each, from their beginning on."""
        found = []
        for row in rows:
            state = self.start(1)
            for piece in row[None].split(PIECE, dim=1) if len(row) else ():
                _, state = self.going_on(piece, state)
            found.append(state)
        return RecurrentState([torch.cat(each, dim=1) for each in zip(*(state.states for state in found), strict=True)])

    def step(self, last: Tensor, state: "RecurrentState") -> tuple[Tensor, "RecurrentState"]:
        """The last tokens (N,) -> the vectors that the next is predicted from, (N, D)."""
        vectors, state = self.going_on(last[:, None], state)
        return vectors[:, 0], state


@dataclass(frozen=True)
class RecurrentState:
    """Of every layer the state, and an LSTM's second one, (1 or 2, N, hidden)."""

    states: list[Tensor]

    def reorder(self, rows: Tensor, hypotheses: int) -> "RecurrentState":
        """The given rows (M,)."""
        return RecurrentState([each[:, rows] for each in self.states])

    def with_rows(self, places: Tensor, other: "RecurrentState") -> "RecurrentState":
        """The same, with the rows of another one where ``places`` (N,) is True."""
        found = [each.clone() for each in self.states]
        for mine, given in zip(found, other.states, strict=True):
            mine[:, places] = given
        return RecurrentState(found)

    def detached(self) -> "RecurrentState":
        """Without what it was made of."""
        return RecurrentState([each.detach() for each in self.states])
