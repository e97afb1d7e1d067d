"""Fixed vectors, and a linear head on them that was solved: what they answer with needs no solver."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_matrix

from scansion.layers.sparse_blocks import SparseBlocks


class FixedVectors(Protocol):
    """Vectors that are counted, or a frozen encoder's: what a family whose learner is convex builds."""

    def learn(self, documents: Any) -> SparseBlocks:
        """Learn what there is to learn without answers; the training documents' vectors (N, D)."""
        ...

    def vectors(self, documents: Any) -> csr_matrix:
        """Sparse (N, D)."""
        ...

    def widths(self, vectors: SparseBlocks, targets: np.ndarray | None, outputs: int) -> np.ndarray | None:
        """The prior width of every weight, (D, outputs) or (D, 1); None where one is as good as another."""
        ...


@dataclass(frozen=True)
class Linear:
    """``logits = vectors @ weights + bias``: weights (D, K), bias (K,)."""

    weights: np.ndarray
    bias: np.ndarray
    strength: float

    def logits(self, vectors: csr_matrix) -> np.ndarray:
        """(N, K) float64."""
        return np.asarray(vectors @ self.weights, np.float64) + self.bias
