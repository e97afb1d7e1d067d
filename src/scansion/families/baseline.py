"""The baseline: it sees nothing of a document, so its head can only learn how common each answer is.

For labels that is the majority, for numbers the mean.  Whatever a family is worth, it is worth above this.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_matrix

from scansion.families.static import NONE
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.text.word_tokenizer import Corpus


@dataclass(frozen=True)
class Baseline:
    """The majority label, or the mean."""

    learner: ClassVar[str] = "convex"
    reads: ClassVar[str] = "words"
    pretraining: ClassVar[str | None] = None
    static: ClassVar[str] = NONE

    def build(self, table: None = None) -> "NoVectors":
        """The family."""
        return NoVectors()


class NoVectors:
    """Every document is a vector of no dimensions."""

    def learn(self, corpus: Corpus) -> SparseBlocks:
        """(N, 0)."""
        return SparseBlocks.of(self.vectors(corpus))

    def vectors(self, corpus: Corpus) -> csr_matrix:
        """(N, 0)."""
        return csr_matrix((len(corpus), 0), dtype=np.float32)

    def widths(self, vectors: SparseBlocks, targets: np.ndarray | None, outputs: int) -> None:
        """None."""

    def shares(self, corpus: Corpus) -> csr_matrix:
        """(0, tokens)."""
        return csr_matrix((0, len(corpus.ids)), dtype=np.float32)

    def state(self) -> tuple[list[str], dict[str, np.ndarray]]:
        """Nothing."""
        return [], {}

    def restore(self, words: list[str], arrays: dict[str, np.ndarray]) -> "NoVectors":
        """The inverse of :meth:`state`."""
        return self

    def names(self) -> list[str]:
        """None, (0,)."""
        return []

    def known(self, corpus: Corpus) -> np.ndarray:
        """No token is read, (N,)."""
        return np.zeros(len(corpus), np.int64)
