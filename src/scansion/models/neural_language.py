"""A trained network as a model of the next token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from scansion.learning.language_network import (
    LanguageNetwork,
    build_language,
    score_windows,
    windows_of,
    with_weights,
)
from scansion.learning.weight_average import weights_of
from scansion.spill import Flat
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import BEGIN, END, NEVER_WRITTEN


@dataclass(frozen=True, eq=False)
class NeuralLanguage:
    """See :class:`scansion.models.fitted_language.NextTokenModel`; ``context`` is what its family sees at most."""

    network: LanguageNetwork
    context: int | None
    begin: int = BEGIN
    end: int = END
    """What stands around documents; they may be one token, which then stands nowhere else."""
    never_written: tuple[int, ...] = NEVER_WRITTEN

    kind: ClassVar[str] = "gradient"

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(each.numel() for each in self.network.parameters())

    def log_probabilities(self, stream: Flat) -> NDArray:
        """Natural logarithms (N,) for a stream of whole documents; 0 for every BEGIN.

        A document of more tokens than the context is read in windows that overlap by half of one.
        """
        starts = np.flatnonzero(np.asarray(stream[:]) == self.begin)[:: 2 if self.begin == self.end else 1]
        lengths = np.diff(starts, append=len(stream))
        stride = len(stream) if self.context is None else self.context // 2
        return score_windows(self.network, *windows_of(Sequences(stream, starts, lengths), self.context, stride))

    def start(self, rows: int) -> Any:
        """The state of so many documents of which nothing was read yet."""
        return self.read([np.zeros(0, np.int64)] * rows)

    @torch.inference_mode()
    def read(self, rows: Sequence[NDArray]) -> Any:
        """The state after tokens (L,) of each document, from its BEGIN on."""
        return self.network.network.state_after([torch.from_numpy(np.asarray(row, np.int64)) for row in rows])

    @torch.inference_mode()
    def step(self, last: NDArray, state: Any) -> tuple[NDArray, Any]:
        """The log-probabilities (B, V) of what follows the tokens ``last`` (B,), and the state then."""
        scores, state = self.network.step(torch.from_numpy(np.asarray(last, np.int64)), state)
        return scores.numpy(), state

    def only(self, state: Any, rows: NDArray) -> Any:
        """The given rows (M,) of a state."""
        return state.reorder(torch.from_numpy(rows), 1)

    def state(self) -> dict[str, NDArray]:
        """The weights by name."""
        return weights_of(self.network)


def restored_network(family: Any, vocab_size: int, weights: Mapping[str, NDArray]) -> NeuralLanguage:
    """A trained network from its weights. RuntimeError for weights of another one."""
    network = build_language(family, vocab_size, smoothing=0.0, seed=0)
    return NeuralLanguage(with_weights(network, weights), family.context)


def pretrained_network(network: LanguageNetwork, begin: int, end: int) -> NeuralLanguage:
    """A network whose tokens are another's, any of which it may write."""
    return NeuralLanguage(network, network.network.context, begin, end, ())
