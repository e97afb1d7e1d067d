"""Sequence to sequence (Sutskever et al. 2014): the whole source must pass through one vector of fixed size.

    source:  (h, c) = LSTM over E[s], last word first
    target:  h_t, c_t = LSTM over E[y], begun from (h, c),      o_t = W h_t

No position of the target looks back at the source: what the state has forgotten is gone.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from scansion.layers.bidirectional import turn
from scansion.layers.dropout import Dropout
from scansion.options import check_positive, check_shares, check_whole


@dataclass(frozen=True)
class SequenceToSequence:
    """Subwords are ``width`` wide, states ``hidden_size``."""

    width: int = 128
    hidden_size: int = 512
    dropout: float = 0.3
    learning_rate: float = 2e-3

    learner: ClassVar[str] = "gradient"
    pretraining: ClassVar[str | None] = None
    max_length: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        check_whole(self, "width", "hidden_size")
        check_shares(self, "dropout")
        check_positive(self, "learning_rate")

    def build(self, vocab_size: int) -> "SequenceToSequenceNetwork":
        """The network for so many subwords, with fresh weights from torch's random state."""
        return SequenceToSequenceNetwork(self, vocab_size)


class SequenceToSequenceNetwork(nn.Module):
    """source (B, S), mask (B, S), target (B, T) -> (B, T, D), what the next target token is predicted from."""

    def __init__(self, configuration: SequenceToSequence, vocab_size: int) -> None:
        super().__init__()
        self.configuration = configuration
        width, hidden = configuration.width, configuration.hidden_size
        self.embedding = nn.Embedding(vocab_size, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.source_dropout, self.target_dropout = Dropout(configuration.dropout), Dropout(configuration.dropout)
        self.output_dropout = Dropout(configuration.dropout)
        self.encoder = nn.LSTM(width, hidden, batch_first=True)
        self.decoder = nn.LSTM(width, hidden, batch_first=True)
        self.output = nn.Linear(hidden, width)

    def forward(self, source: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        state = self.init_state(source, mask, target.shape[1])
        states, _ = self.decoder(self.target_dropout(self.embedding(target)), state.turned())
        return self.output(self.output_dropout(states))

    @property
    def output_embedding(self) -> Tensor:
        """What the logits of the next token are made with, (V, D)."""
        return self.embedding.weight

    def init_state(self, source: Tensor, mask: Tensor, room: int) -> "Seq2SeqState":
        """Read the sources, one hypothesis each; a state of fixed size needs no ``room``."""
        words = turn(self.source_dropout(self.embedding(source)), mask)
        states, cells = self._read(words, mask)
        return Seq2SeqState(states, cells)

    def _read(self, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The state after each row's own last word, (B, hidden) twice.

        Rows of one length are read together, since the kernel gives the memory c of the last position only.
        """
        lengths = mask.sum(dim=1)
        hidden = self.encoder.hidden_size
        states, cells = words.new_zeros(len(words), hidden), words.new_zeros(len(words), hidden)
        for length in lengths.unique().tolist():
            rows = (lengths == length).nonzero()[:, 0]
            _, (state, cell) = self.encoder(words[rows, :length])
            states, cells = states.index_copy(0, rows, state[0]), cells.index_copy(0, rows, cell[0])
        return states, cells

    def step(self, last: Tensor, state: "Seq2SeqState") -> tuple[Tensor, "Seq2SeqState"]:
        """The last tokens (N,) -> the vectors that the next is predicted from, (N, D)."""
        _, (states, cells) = self.decoder(self.embedding(last)[:, None], state.turned())
        return self.output(states[0]), Seq2SeqState(states[0], cells[0])


@dataclass(frozen=True)
class Seq2SeqState:
    """The one vector, in two parts: h and c, (N, hidden) each."""

    state: Tensor
    cell: Tensor

    def turned(self) -> tuple[Tensor, Tensor]:
        """As the kernel takes them, (1, N, hidden) each."""
        return self.state[None], self.cell[None]

    def reorder(self, rows: Tensor, hypotheses: int) -> "Seq2SeqState":
        """The given hypotheses (M,)."""
        return Seq2SeqState(self.state[rows], self.cell[rows])
