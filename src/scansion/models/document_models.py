"""What a classifier or regressor has learned: texts in, logits and features out; those that count, without torch."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from scipy.sparse import csr_matrix

from scansion.learning.description import FitDescription
from scansion.learning.linear import FixedVectors, Linear
from scansion.text.columns import UNNAMED, InputColumns
from scansion.text.word_tokenizer import Corpus, read_words
from scansion.text.words import WORD_RULE, WordRule, split_words

Kind = Literal["counted", "trained", "frozen", "fine-tuned"]
Token = tuple[str, tuple[int, int]]
"""As it is written, and its start and end in characters."""


class DocumentModel(Protocol):
    """Texts to logits and features."""

    kind: ClassVar[Kind]
    """Under which the tables of folders and of inspection have it."""

    @property
    def word_rule(self) -> WordRule:
        """The rule by which its texts are parted into words, for reading or for showing them."""
        ...

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

    def names(self) -> list[str]:
        """What each dimension counts, (D,)."""
        ...

    def state(self) -> tuple[list[str], dict[str, np.ndarray]]:
        """What was learned: words, and arrays by name."""
        ...


@dataclass(frozen=True)
class SparseLinearModel:
    """A counted family and its linear head."""

    vectors: CountedFeatures
    linear: Linear
    word_rule: WordRule = WORD_RULE

    kind: ClassVar[Kind] = "counted"

    @property
    def parameters(self) -> int:
        """Weights of the head."""
        return self.linear.weights.size + self.linear.bias.size

    def logits(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`."""
        return self.linear.logits(self.features(texts))

    def features(self, texts: list[str]) -> csr_matrix:
        """See :class:`DocumentModel`."""
        return self.vectors.vectors(read_words(texts, rule=self.word_rule))

    def coverage(self, texts: list[str]) -> np.ndarray:
        """See :class:`DocumentModel`; a token is known if it has a dimension."""
        corpus = read_words(texts, rule=self.word_rule)
        return np.stack([self.vectors.known(corpus), corpus.lengths], axis=1)

    def tokens(self, text: str) -> list[Token]:
        """See :class:`DocumentModel`."""
        return words_of(text, self.word_rule)


def words_of(text: str, rule: WordRule) -> list[Token]:
    """The words of a text, and where they stand."""
    return [(text[start:end], (start, end)) for start, end in split_words(text, rule)]
