"""One text as a network reads it: its tokens, the windows of a long one, the scores of other vectors in their place."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from scansion.layers.recording import private
from scansion.learning.reader import cut_windows
from scansion.tasks.models import FrozenModel, Model, ReadModel, TunedModel
from scansion.text.batches import UNKNOWN, Sequences, collate
from scansion.text.words import read_words, split_words

BEGIN, END = "[begin]", "[end]"


@dataclass(frozen=True)
class Window:
    """As much of a text as is read at a time."""

    tokens: Tensor
    """(1, L), the frame included."""
    mask: Tensor
    """(1, L), all True."""
    inside: slice
    """Which positions are the text's own."""
    first: int
    """The number of its first token in the text."""
    share: float
    """What it counts for among the text's windows."""


@dataclass(frozen=True)
class Reading:
    """A text and the network that reads it."""

    reader: nn.Module
    """tokens (B, L), mask (B, L) -> scores (B, K)."""
    embedding: nn.Module
    """tokens (B, L) -> vectors (B, L, D), the first thing the reader does."""
    hidden: int
    """The token of a hidden word."""
    sequences: Sequences
    longest: int | None
    pieces: list[tuple[str, tuple[int, int]]] = field(repr=False)
    """Every token as it is written in the text, and where."""

    def windows(self) -> list[Window]:
        """The whole text, or windows that overlap by half."""
        cut, _ = cut_windows(self.sequences, self.longest)
        shares = np.maximum(cut.lengths, 1) / np.maximum(cut.lengths, 1).sum()
        return [self._window(cut, row, float(share)) for row, share in enumerate(shares)]

    def _window(self, cut: Sequences, row: int, share: float) -> Window:
        batch = collate(cut, np.array([row]))
        tokens, mask = torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask)
        before = 0 if cut.frame is None else 1
        inside = slice(before, before + int(cut.lengths[row]))
        return Window(tokens, mask, inside, int(cut.starts[row] - self.sequences.starts[0]), share)

    def names(self, window: Window) -> list[str]:
        """What stands at each of a window's positions."""
        length = window.inside.stop - window.inside.start
        names = [token for token, _ in self.pieces[window.first : window.first + length]]
        if self.sequences.frame is not None:
            return [BEGIN, *names, END]
        return names or [BEGIN]  # an empty text is one token that says so

    def covered(self, window: Window) -> Tensor:
        """The window's tokens with every word hidden, (1, L)."""
        tokens = window.tokens.clone()
        tokens[:, window.inside] = self.hidden
        return tokens

    def scores(self, tokens: Tensor, window: Window) -> Tensor:
        """The scores of other tokens in the window's place, (B, L) -> (B, K)."""
        return self.reader(tokens, window.mask.expand(len(tokens), -1))

    def scores_from(self, vectors: Tensor, window: Window) -> Tensor:
        """The scores of vectors in place of what the embedding gives, (B, L, D) -> (B, K)."""
        hook = self.embedding.register_forward_hook(lambda *_: vectors)
        try:
            return self.scores(window.tokens.expand(len(vectors), -1), window)
        finally:
            hook.remove()


def reading_of(model: Model, text: str) -> Reading:
    """How a model whose vectors are learned reads a text."""
    if isinstance(model, ReadModel):
        corpus = read_words([text])
        reader = private(model.reader.reading(model.vocabulary.spell(corpus.types)))
        sequences = model.vocabulary.encode(corpus)
        return Reading(reader, reader.network.embedding, UNKNOWN, sequences, model.longest, tokens_of(model, text))
    if isinstance(model, TunedModel):
        reader, longest = private(model.reader), model.longest
    else:
        reader, longest = private(FrozenReader(model)), model.family.encoder.longest
    hidden = UNKNOWN if model.tokens.hidden is None else model.tokens.hidden
    return Reading(reader, reader.network.words, hidden, model.tokens.encode([text]), longest, tokens_of(model, text))


def tokens_of(model: Model, text: str) -> list[tuple[str, tuple[int, int]]]:
    """Every token of a text as it is written there, and its ``(start, end)`` in characters."""
    if isinstance(model, FrozenModel | TunedModel):
        return model.tokens.pieces(text)
    return [(text[start:end], (start, end)) for start, end in split_words(text)]


class FrozenReader(nn.Module):
    """A frozen encoder and its linear head as one network: tokens (B, L), mask (B, L) -> scores (B, K)."""

    def __init__(self, model: FrozenModel) -> None:
        super().__init__()
        self.network = model.family.encoder.network
        family, linear = model.family, model.linear
        slopes = linear.weights / (family.deviation * len(family.mean) ** 0.5)[:, None]
        self.slopes = torch.from_numpy(slopes).float()
        self.offsets = torch.from_numpy(linear.bias - family.mean @ slopes).float()

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        means = (self.network(tokens, mask) * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return means @ self.slopes + self.offsets
