"""What a classifier or regressor has learned: texts in, logits and features out."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import nn

from scansion.heads.catalogue import Head
from scansion.learning.description import FitDescription
from scansion.learning.document_network import DocumentNetwork, build_document_network, features_of, logits_of
from scansion.learning.frozen_encoder import FrozenVectors
from scansion.learning.linear_head import FixedVectors
from scansion.learning.solver import Linear
from scansion.text.batches import Sequences
from scansion.text.columns import UNNAMED, InputColumns
from scansion.text.pretrained_tokenizer import PretrainedTokenizer
from scansion.text.vocabulary import Vocabulary
from scansion.text.word_tokenizer import Corpus, read_words, split_words

Token = tuple[str, tuple[int, int]]
"""As it is written, and its start and end in characters."""


class DocumentModel(Protocol):
    """Texts to logits and features."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned, by whomever."""
        ...

    def logits(self, texts: list[str]) -> np.ndarray:
        """The head's, (N, K) float64."""
        ...

    def features(self, texts: list[str]) -> np.ndarray | csr_matrix:
        """What the head sees, (N, D)."""
        ...

    def coverage(self, texts: list[str]) -> np.ndarray:
        """Tokens the model knows and tokens there are, (N, 2)."""
        ...

    def tokens(self, text: str) -> list[Token]:
        """Every token of a text as it is written there, and where."""
        ...


@dataclass(frozen=True)
class FittedDocuments:
    """A fitted classifier or regressor: what folders, inspection, export and serving take, and estimators hold."""

    description: FitDescription
    model: DocumentModel
    columns: InputColumns = UNNAMED
    """Where its texts and answers stood."""

    @property
    def family(self) -> Any:
        """The family's configuration."""
        return self.description.family

    @property
    def head(self) -> Any:
        """What makes answers of logits."""
        return self.description.head

    def answers(self, logits: np.ndarray) -> list[Any]:
        """Logits (N, K) as plain answers: a label, a tuple of labels or a number each."""
        return self.head.answers(logits)


class CountedFeatures(FixedVectors, Protocol):
    """Fixed vectors of words, of which each dimension is made of tokens."""

    def shares(self, corpus: Corpus) -> csr_matrix:
        """Which tokens each dimension is made of, (D, tokens)."""
        ...

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document that are known, (N,)."""
        ...

    def state(self) -> tuple[list[str], dict[str, np.ndarray]]:
        """What was learned: words, and arrays by name."""
        ...


@dataclass(frozen=True)
class SparseLinearModel:
    """A counted family and its linear head."""

    vectors: CountedFeatures
    linear: Linear

    @property
    def parameters(self) -> int:
        """Weights of the head."""
        return self.linear.weights.size + self.linear.bias.size

    def logits(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return self.linear.logits(self.features(texts))

    def features(self, texts: list[str]) -> csr_matrix:
        """See :class:`DocumentModel`."""
        return self.vectors.vectors(read_words(texts))

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`; a token is known if it has a dimension."""
        corpus = read_words(texts)
        return np.stack([self.vectors.known(corpus), corpus.lengths], axis=1)

    def tokens(self, text: str) -> list[Token]:
        """See :class:`DocumentModel`."""
        return words_of(text)


@dataclass(frozen=True)
class EncoderModel:
    """A trained document network and its vocabulary."""

    network: DocumentNetwork
    vocabulary: Vocabulary
    max_length: int | None

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
        corpus = read_words(texts)
        return np.stack([self.vocabulary.known(corpus), corpus.lengths], axis=1)

    def tokens(self, text: str) -> list[Token]:
        """See :class:`DocumentModel`."""
        return words_of(text)

    def _read(self, texts: list[str]) -> tuple[DocumentNetwork, Sequences]:
        corpus = read_words(texts)
        return self.network.using(self.vocabulary.index(corpus.types)), self.vocabulary.encode(corpus)


@dataclass(frozen=True)
class FrozenEncoderModel:
    """A frozen encoder with its own tokenizer, and a linear head."""

    vectors: FrozenVectors
    linear: Linear
    tokenizer: PretrainedTokenizer

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


@dataclass(frozen=True)
class FineTunedModel:
    """A fine-tuned encoder with its own tokenizer."""

    network: DocumentNetwork
    tokenizer: PretrainedTokenizer
    max_length: int

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


def words_of(text: str) -> list[Token]:
    """The words of a text, and where they stand."""
    return [(text[start:end], (start, end)) for start, end in split_words(text)]


def trained_encoder(
    family: Any, head: Head, weights: dict[str, np.ndarray], vocabulary: Vocabulary
) -> EncoderModel:
    """A document network with the given weights, ready to read."""
    word_sum = weights["output.weight"].shape == (head.size, (family.pooling.parts + 1) * family.width)
    network = build_document_network(family, len(vocabulary), len(vocabulary.char_ngrams), head, 0.0, 0, word_sum)
    return EncoderModel(with_weights(network, weights), vocabulary, family.max_length)


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
