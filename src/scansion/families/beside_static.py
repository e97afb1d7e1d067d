"""Counted vectors, and the static ones of the same documents beside them: more dimensions of one matrix.

A family's option ``static`` names whose they are: ``auto``, MiniLM-L6's if it is installed; a folder or a name as
:class:`scansion.Pretrained` takes them; or ``none``.  Folds then decide whether they stay.

Counts say most where there are many answers to learn from, and static vectors where there are few: a word that no
training text has stands near others that some have.  Under one convex head they need no other weighting than a prior
width, by which the static dimensions are trusted as much as ``TRUST`` of the counted ones.
"""

from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from scansion.families.static import Arrays, StaticTable, StaticVectors
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.text.word_tokenizer import Corpus

TRUST = 0.7


class BesideStatic:
    """``counted``: any family's vectors that are counted."""

    def __init__(self, counted: Any, table: StaticTable) -> None:
        self.counted, self.static = counted, StaticVectors(table)

    def learn(self, corpus: Corpus) -> SparseBlocks:
        """Learn what both learn; the training documents' vectors (N, D)."""
        return self.beside(self.counted.learn(corpus), corpus)

    def beside(self, counts: SparseBlocks, corpus: Corpus) -> SparseBlocks:
        """The static vectors of the training documents beside counted ones, (N, D)."""
        self.static.learn_weights(corpus)
        spans = (counts.span(number) for number in range(len(counts)))
        parts = (self.static.vectors(corpus.documents(span.start, span.stop)) for span in spans)
        return SparseBlocks(_side_by_side(block, part) for block, part in zip(counts, parts, strict=True))

    def vectors(self, corpus: Corpus) -> csr_matrix:
        """Sparse (N, D)."""
        return _side_by_side(self.counted.vectors(corpus), self.static.vectors(corpus))

    def widths(self, vectors: SparseBlocks, targets: np.ndarray | None, outputs: int) -> np.ndarray:
        """The counted family's own, or one, and ``TRUST`` for the rest; (D, outputs) or (D, 1)."""
        columns = vectors.width - self.static.width
        counts = self.counted.widths(vectors.map(lambda block: block[:, :columns]), targets, outputs)
        counts = np.ones((columns, 1)) if counts is None else counts
        return np.concatenate([counts, np.full((self.static.width, counts.shape[1]), TRUST)])

    def shares(self, corpus: Corpus) -> csr_matrix:
        """What each token of one document is of each dimension, (D, tokens)."""
        return vstack([self.counted.shares(corpus), self.static.shares(corpus)], format="csr")

    def state(self) -> tuple[list[str], Arrays]:
        """What was learned: the counted family's words, and arrays by name."""
        words, arrays = self.counted.state()
        return words, arrays | self.static.state()[1]

    def restore(self, words: list[str], arrays: Arrays) -> Self:
        """The inverse of :meth:`state`."""
        self.counted.restore(words, arrays)
        self.static.restore(words, arrays)
        return self

    def names(self) -> list[str]:
        """The counted family's own, then numbers, (D,)."""
        return self.counted.names() + self.static.names()

    def known(self, corpus: Corpus) -> np.ndarray:
        """Words of each document that either knows, (N,)."""
        once = Corpus(corpus.types, np.arange(len(corpus.types), dtype=np.int32), np.arange(len(corpus.types) + 1))
        hit = ((self.counted.known(once) + self.static.known(once)) > 0)[corpus.ids[:]]
        return np.diff(np.concatenate([[0], np.cumsum(hit)])[corpus.offsets])


def _side_by_side(counts: csr_matrix, static: csr_matrix) -> csr_matrix:
    return hstack([counts, static], format="csr")
