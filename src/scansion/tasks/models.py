"""What an estimator has learned: texts in, scores and vectors out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix

from scansion.learning.convex import Linear
from scansion.learning.counted import FixedVectors
from scansion.learning.frozen import FrozenVectors
from scansion.learning.reader import Reader, pooled, read
from scansion.text.batches import Sequences
from scansion.text.borrowed import BorrowedTokens
from scansion.text.vocabulary import Vocabulary
from scansion.text.words import read_words


class Model(Protocol):
    """What an estimator has learned."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned, by whomever."""
        ...

    def scores(self, texts: list[str]) -> np.ndarray:
        """The head's, (N, K) float64."""
        ...

    def vectors(self, texts: list[str]) -> np.ndarray | csr_matrix:
        """What the head sees, (N, D)."""
        ...

    def coverage(self, texts: list[str]) -> np.ndarray:
        """Tokens the model knows and tokens there are, (N, 2)."""
        ...


@dataclass(frozen=True)
class CountedModel:
    """A counted family and its linear head."""

    family: FixedVectors
    linear: Linear

    @property
    def parameters(self) -> int:
        """Weights of the head."""
        return self.linear.weights.size + self.linear.bias.size

    def scores(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`."""
        return self.linear.scores(self.vectors(texts))

    def vectors(self, texts: list[str]) -> csr_matrix:
        """See :class:`Model`."""
        return self.family.vectors(read_words(texts))

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`; a token is known if it has a dimension."""
        corpus = read_words(texts)
        return np.stack([self.family.known(corpus), corpus.lengths], axis=1)


@dataclass(frozen=True)
class ReadModel:
    """A trained reader and its vocabulary."""

    reader: Reader
    vocabulary: Vocabulary
    longest: int | None

    @property
    def parameters(self) -> int:
        """Weights of the network."""
        return _size(self.reader)

    def scores(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`."""
        return read(*self._read(texts), self.longest).astype(np.float64)

    def vectors(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`."""
        return pooled(*self._read(texts), self.longest)

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`; a token is known if its word or a piece of it has a vector."""
        corpus = read_words(texts)
        return np.stack([self.vocabulary.known(corpus), corpus.lengths], axis=1)

    def _read(self, texts: list[str]) -> tuple[Reader, Sequences]:
        corpus = read_words(texts)
        return self.reader.reading(self.vocabulary.spell(corpus.types)), self.vocabulary.encode(corpus)


@dataclass(frozen=True)
class FrozenModel:
    """A frozen encoder with its own tokens, and a linear head."""

    family: FrozenVectors
    linear: Linear
    tokens: BorrowedTokens

    @property
    def parameters(self) -> int:
        """Weights of the encoder and of the head."""
        return _size(self.family.encoder.network) + self.linear.weights.size + self.linear.bias.size

    def scores(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`."""
        return self.linear.scores(self.family.vectors(self.tokens.encode(texts)))

    def vectors(self, texts: list[str]) -> np.ndarray:
        """The encoder's own, before they are scaled for the head."""
        return self.family.encoder.vectors(self.tokens.encode(texts))

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`."""
        return self.tokens.coverage(texts)


@dataclass(frozen=True)
class TunedModel:
    """A fine-tuned encoder with its own tokens."""

    reader: Reader
    tokens: BorrowedTokens
    longest: int

    @property
    def parameters(self) -> int:
        """Weights of the network."""
        return _size(self.reader)

    def scores(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`."""
        return read(self.reader, self.tokens.encode(texts), self.longest).astype(np.float64)

    def vectors(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`."""
        return pooled(self.reader, self.tokens.encode(texts), self.longest)

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`Model`."""
        return self.tokens.coverage(texts)


def _size(network: Reader) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
