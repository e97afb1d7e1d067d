"""What a network or a frozen encoder has learned of documents: texts in, logits and features out.

Each is a :class:`scansion.models.document_models.DocumentModel`.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from scansion.heads.catalogue import Head
from scansion.learning.document_network import DocumentNetwork, build_document_network, features_of, logits_of
from scansion.learning.frozen_encoder import FrozenVectors
from scansion.learning.linear import Linear
from scansion.models.document_models import Kind, Token, words_of
from scansion.text.batches import Sequences
from scansion.text.pretrained_tokenizer import PretrainedTokenizer
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import read_words
from scansion.text.words import WORD_RULE, WordRule


@dataclass(frozen=True)
class EncoderModel:
    """A trained document network and its vocabulary."""

    network: DocumentNetwork
    vocabulary: Vocabulary
    max_length: int | None
    word_rule: WordRule = WORD_RULE

    kind: ClassVar[Kind] = "trained"

    @property
    def parameters(self) -> int:
        """Weights of the network."""
        return size_of(self.network)

    def logits(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return logits_of(*self._read(texts), self.max_length).astype(np.float64)

    def features(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return features_of(*self._read(texts), self.max_length)

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`; a token is known if its word or a character n-gram of it has a vector."""
        corpus = read_words(texts, rule=self.word_rule)
        return np.stack([self.vocabulary.known(corpus), corpus.lengths], axis=1)

    def tokens(self, text: str) -> list[Token]:
        """See :class:`DocumentModel`."""
        return words_of(text, self.word_rule)

    def _read(self, texts: list[str]) -> tuple[DocumentNetwork, Sequences]:
        corpus = read_words(texts, rule=self.word_rule)
        return self.network.using(self.vocabulary.index(corpus.types)), self.vocabulary.encode(corpus)


@dataclass(frozen=True)
class FrozenEncoderModel:
    """A frozen encoder with its own tokenizer, and a linear head."""

    vectors: FrozenVectors
    linear: Linear
    tokenizer: PretrainedTokenizer

    kind: ClassVar[Kind] = "frozen"
    word_rule: ClassVar[WordRule] = WORD_RULE

    @property
    def parameters(self) -> int:
        """Weights of the encoder and of the head."""
        return size_of(self.vectors.encoder.network) + self.linear.weights.size + self.linear.bias.size

    def logits(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return self.linear.logits(self.vectors.vectors(self.tokenizer.encode(texts)))

    def features(self, texts: list[str]) -> np.ndarray:
        """The encoder's own vectors, before they are scaled for the head."""
        return self.vectors.encoder.vectors(self.tokenizer.encode(texts))

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return self.tokenizer.coverage(texts)

    def tokens(self, text: str) -> list[Token]:
        """See :class:`DocumentModel`."""
        return self.tokenizer.tokens(text)


def keeping_nothing(model: FrozenEncoderModel) -> FrozenEncoderModel:
    """The same model, which neither looks for vectors on disk nor keeps any there."""
    vectors = FrozenVectors(replace(model.vectors.encoder, keeps=False))
    vectors.mean, vectors.deviation = model.vectors.mean, model.vectors.deviation
    return replace(model, vectors=vectors)


@dataclass(frozen=True)
class FineTunedModel:
    """A fine-tuned encoder with its own tokenizer."""

    network: DocumentNetwork
    tokenizer: PretrainedTokenizer
    max_length: int

    kind: ClassVar[Kind] = "fine-tuned"
    word_rule: ClassVar[WordRule] = WORD_RULE

    @property
    def parameters(self) -> int:
        """Weights of the network."""
        return size_of(self.network)

    def logits(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return logits_of(self.network, self.tokenizer.encode(texts), self.max_length).astype(np.float64)

    def features(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return features_of(self.network, self.tokenizer.encode(texts), self.max_length)

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return self.tokenizer.coverage(texts)

    def tokens(self, text: str) -> list[Token]:
        """See :class:`DocumentModel`."""
        return self.tokenizer.tokens(text)


def trained_encoder(
    family: Any, head: Head, weights: dict[str, np.ndarray], vocabulary: Vocabulary, word_rule: WordRule = WORD_RULE
) -> EncoderModel:
    """A document network with the given weights, ready to read."""
    word_sum = weights["output.weight"].shape == (head.size, (family.pooling.parts + 1) * family.width)
    network = build_document_network(family, len(vocabulary), len(vocabulary.char_ngrams), head, 0.0, 0, word_sum)
    return EncoderModel(with_weights(network, weights), vocabulary, family.max_length, word_rule)


def fine_tuned_encoder(
    bert: Any, words: int, head: Head, weights: dict[str, np.ndarray], tokenizer: PretrainedTokenizer
) -> FineTunedModel:
    """A fine-tuned encoder with the given weights, ready to read."""
    network = build_document_network(bert, words, 0, head, 0.0, 0, word_sum=False)
    return FineTunedModel(with_weights(network, weights), tokenizer, bert.max_length)


def with_weights(network: DocumentNetwork, weights: dict[str, np.ndarray]) -> DocumentNetwork:
    """The network with the given weights; RuntimeError if they are of another shape."""
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return network.eval()


def size_of(network: nn.Module) -> int:
    """How many weights a network has."""
    return sum(parameter.numel() for parameter in network.parameters())
