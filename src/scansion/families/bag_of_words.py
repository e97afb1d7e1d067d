"""Bag of words: a document is how often each word occurs in it; order is thrown away.

    x_w = (1 + log n_w) * idf_w,    idf_w = 1 + log((1 + N) / (1 + N_w)),    scaled to |x| = 1

n_w: occurrences of word w in the document, N: training documents, N_w: those that contain w (sublinear TF-IDF,
Salton and Buckley 1988, with add-one smoothing).  The linear head's prior for the weight of w is sqrt(idf_w / max idf)
wide: a rare word has few documents to earn its weight in, and gets more of it for each.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from scansion.families.beside_static import BesideStatic
from scansion.families.static import NONE, StaticTable
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.layers.tfidf import (
    count,
    inverse_document_frequency,
    rows_to_length_one,
    shares_of,
    sublinear,
)
from scansion.options import check_whole
from scansion.text.numbered import Numbered
from scansion.text.word_tokenizer import Corpus


@dataclass(frozen=True)
class BagOfWords:
    """One dimension per word that at least ``min_documents`` training documents contain.

    ``static``: whose static vectors stand beside them; see :mod:`scansion.families.beside_static`.
    """

    min_documents: int = 1
    static: str = NONE

    learner: ClassVar[str] = "convex"
    reads: ClassVar[str] = "words"
    pretraining: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        check_whole(self, "min_documents")

    def build(self, table: StaticTable | None = None) -> "BagOfWordsVectors | BesideStatic":
        """The family, before it has learned its words."""
        return BagOfWordsVectors(self) if table is None else BesideStatic(BagOfWordsVectors(self), table)


class BagOfWordsVectors:
    """Counted documents."""

    def __init__(self, configuration: BagOfWords) -> None:
        self.configuration = configuration
        self.words = Numbered()
        self.idf = np.zeros(0, np.float32)

    def learn(self, corpus: Corpus) -> SparseBlocks:
        """Learn the words and their weights; the training documents' vectors (N, D)."""
        counts = SparseBlocks(count(part.ids[:], part.offsets, len(part.types)) for part in corpus.parts(fewest=2))
        documents = counts.documents_with()
        kept = np.flatnonzero(documents >= self.configuration.min_documents)
        self.words = Numbered(corpus.types[i] for i in kept)
        self.idf = inverse_document_frequency(documents[kept], len(corpus))
        everything = len(kept) == len(documents)
        return counts.map(lambda block: self._weigh(block if everything else block[:, kept]))

    def vectors(self, corpus: Corpus) -> csr_matrix:
        """Sparse (N, D), rows of length one; unknown words are left out."""
        columns = self.words.places(corpus.types)
        return self._weigh(count(columns[corpus.ids[:]], corpus.offsets, len(self.words)))

    def widths(self, vectors: SparseBlocks, targets: np.ndarray | None, outputs: int) -> np.ndarray:
        """The prior widths of the module's formula, (D, 1), whatever the answers are."""
        return np.sqrt(self.idf / self.idf.max(initial=1)).astype(np.float64)[:, None]

    def shares(self, corpus: Corpus) -> csr_matrix:
        """Which tokens each dimension is made of, (D, tokens); see :func:`scansion.layers.tfidf.shares_of`."""
        columns = self.words.places(corpus.types)[corpus.ids[:]]
        known = np.flatnonzero(columns >= 0)
        return shares_of(columns[known], known, (len(self.words), len(columns)))

    def _weigh(self, counts: csr_matrix) -> csr_matrix:
        return rows_to_length_one(sublinear(counts), self.idf)

    def state(self) -> tuple[list[str], dict[str, np.ndarray]]:
        """What was learned: words, and arrays by name."""
        return self.words, {"idf": self.idf}

    def restore(self, words: list[str], arrays: dict[str, np.ndarray]) -> "BagOfWordsVectors":
        """The inverse of :meth:`state`."""
        self.words, self.idf = Numbered(words), arrays["idf"]
        return self

    def names(self) -> list[str]:
        """The word that each dimension counts, (D,)."""
        return self.words

    def known(self, corpus: Corpus) -> np.ndarray:
        """Tokens of each document that have a dimension, (N,)."""
        hit = self.words.places(corpus.types)[corpus.ids[:]] >= 0
        return np.diff(np.concatenate([[0], np.cumsum(hit)])[corpus.offsets])
