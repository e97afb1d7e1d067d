"""One text as a network reads it: its tokens, the windows of a long one, the logits of other vectors in their place."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scansion.layers.attention_capture import private
from scansion.layers.pooling import pooled
from scansion.learning.document_network import cut_windows
from scansion.models.document_models import DocumentModel, Token
from scansion.models.network_models import EncoderModel, FineTunedModel, FrozenEncoderModel
from scansion.text.batches import UNKNOWN, Sequences, collate
from scansion.text.word_tokenizer import read_words

BEGIN, END = "[begin]", "[end]"


@dataclass(frozen=True)
class Window:
    """As much of a text as is read at a time."""

    tokens: Tensor
    """(1, L), special tokens included."""
    mask: Tensor
    """(1, L), all True."""
    inside: slice
    """Which positions are the text's own."""
    first: int
    """The number of its first token in the text."""
    share: float
    """What it counts for among the text's windows."""


@dataclass(frozen=True)
class ModelInput:
    """A text and the network that reads it."""

    network: nn.Module
    """tokens (B, L), mask (B, L) -> logits (B, K)."""
    embedding: nn.Module
    """tokens (B, L) -> vectors (B, L, D), the first thing the network does."""
    mask_token: int
    """The token of a masked word."""
    sequences: Sequences
    max_length: int | None
    tokens: list[Token] = field(repr=False)
    """Every token as it is written in the text, and where."""

    def windows(self) -> list[Window]:
        """The whole text, or windows that overlap by half."""
        cut, _ = cut_windows(self.sequences, self.max_length)
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
        names = [token for token, _ in self.tokens[window.first : window.first + length]]
        if self.sequences.frame is not None:
            return [BEGIN, *names, END]
        return names or [BEGIN]  # an empty text is one token that says so

    def masked(self, window: Window) -> Tensor:
        """The window's tokens with every word masked, (1, L)."""
        tokens = window.tokens.clone()
        tokens[:, window.inside] = self.mask_token
        return tokens

    def logits(self, tokens: Tensor, window: Window) -> Tensor:
        """The logits of other tokens in the window's place, (B, L) -> (B, K)."""
        return self.network(tokens, window.mask.expand(len(tokens), -1))

    def logits_from(self, vectors: Tensor, window: Window) -> Tensor:
        """The logits of vectors in place of what the embedding gives, (B, L, D) -> (B, K)."""
        hook = self.embedding.register_forward_hook(lambda *_: vectors)
        try:
            return self.logits(window.tokens.expand(len(vectors), -1), window)
        finally:
            hook.remove()


def model_input(model: DocumentModel, text: str) -> ModelInput | None:
    """How a model reads a text; None where its features are counted."""
    read = INPUTS.get(type(model))
    return None if read is None else read(model, text)


def _of_words(model: EncoderModel, text: str) -> ModelInput:
    corpus = read_words([text], rule=model.word_rule)
    network = private(model.network.using(model.vocabulary.index(corpus.types)))
    sequences = model.vocabulary.encode(corpus)
    return ModelInput(network, network.encoder.embedding, UNKNOWN, sequences, model.max_length, model.tokens(text))


def _fine_tuned(model: FineTunedModel, text: str) -> ModelInput:
    return _of_own_tokens(model, private(model.network), model.max_length, text)


def _frozen(model: FrozenEncoderModel, text: str) -> ModelInput:
    return _of_own_tokens(model, private(FrozenNetwork(model)), model.vectors.encoder.max_length, text)


def _of_own_tokens(model: Any, network: Any, max_length: int, text: str) -> ModelInput:
    mask_token = UNKNOWN if model.tokenizer.mask_token is None else model.tokenizer.mask_token
    sequences = model.tokenizer.encode([text])
    return ModelInput(network, network.encoder.embedding, mask_token, sequences, max_length, model.tokens(text))


INPUTS: dict[type, Callable[[Any, str], ModelInput]] = {
    EncoderModel: _of_words, FineTunedModel: _fine_tuned, FrozenEncoderModel: _frozen,
}


class FrozenNetwork(nn.Module):
    """A frozen encoder and its linear head as one network: tokens (B, L), mask (B, L) -> logits (B, K)."""

    def __init__(self, model: FrozenEncoderModel) -> None:
        super().__init__()
        self.encoder = model.vectors.encoder.network
        self.pooling = model.vectors.encoder.pooling
        vectors, linear = model.vectors, model.linear
        slopes = linear.weights / (vectors.deviation * len(vectors.mean) ** 0.5)[:, None]
        self.slopes = torch.from_numpy(slopes).float()
        self.offsets = torch.from_numpy(linear.bias - vectors.mean @ slopes).float()

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return pooled(self.encoder(tokens, mask), mask, self.pooling) @ self.slopes + self.offsets
