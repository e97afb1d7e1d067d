"""What the recurrent families share: word vectors, read from both ends by a recurrent layer each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from scansion.layers.bidirectional import Bidirectional
from scansion.layers.embedding import WordEmbedding


class RecurrentEncoder(nn.Module):
    """tokens (B, L), mask (B, L) -> (B, L, D): both directions together are ``width`` wide."""

    def __init__(
        self, layer: Callable[..., nn.RNNBase], words: int, char_ngrams: int, width: int, dropout: float,
        word_dropout: float, unknown: int,
    ) -> None:
        super().__init__()
        self.embedding = WordEmbedding(words, char_ngrams, width, dropout, word_dropout, unknown)
        self.states = Bidirectional(
            layer(width, width // 2, batch_first=True), layer(width, width // 2, batch_first=True)
        )

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.read(self.embedding(tokens), mask)

    def read(self, words: Tensor, mask: Tensor) -> Tensor:
        """Word vectors (B, L, D), mask (B, L) -> (B, L, D)."""
        return self.states(words, mask)


@dataclass(frozen=True)
class Trace:
    """A recurrent layer step by step: its states (L, D), and the means over units of its gates, (L,) each by name."""

    states: Tensor
    gates: dict[str, Tensor] = field(default_factory=dict)


def from_words(layer: Any, vectors: Tensor) -> Tensor:
    """W x_t + b of every word, (L, gates * hidden)."""
    return vectors @ layer.weight_ih_l0.T + layer.bias_ih_l0


def from_state(layer: Any, state: Tensor) -> Tensor:
    """U h_(t-1) + b, (gates * hidden,)."""
    return layer.weight_hh_l0 @ state + layer.bias_hh_l0


def trace_of(states: list[Tensor], gates: Sequence[tuple[Tensor, ...]], names: tuple[str, ...]) -> Trace:
    """The states (D,) and gates (D,) of each step, put together."""
    means = {name: torch.stack([each[i].mean() for each in gates]) for i, name in enumerate(names)}
    return Trace(torch.stack(states), means)
