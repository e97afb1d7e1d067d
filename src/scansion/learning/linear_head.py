"""Learning where vectors are fixed, counted or a frozen encoder's: first they, and then a linear head of them."""

import numpy as np

from scansion.deferred import DeferredTable
from scansion.heads.catalogue import Head
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.events import Stage
from scansion.learning.linear import FixedVectors
from scansion.learning.strengths import Fitting
from scansion.text.batches import Sequences
from scansion.text.word_tokenizer import Corpus

SOLVED = DeferredTable({
    "multiclass": ("scansion.learning.solver", "fit_together"),
    "multilabel": ("scansion.learning.label_sets", "fit_label_by_label"),
    "regression": ("scansion.learning.solver", "fit_together"),
})
"""How a head of each kind is solved; sets of labels without torch, which takes more memory than they do."""


def fit_linear(
    family: FixedVectors,
    head: Head,
    documents: Corpus | Sequences,
    targets: np.ndarray,
    weights: np.ndarray,
    seed: int,
    deadline: float = float("inf"),
) -> Fitting:
    """Learn the family's vectors, in place, and then a head of them."""
    yield Stage(f"making vectors of {len(documents):,} documents")
    vectors = family.learn(documents)
    return (yield from linear_of(family, head, vectors, targets, weights, seed, deadline))


def linear_of(
    family: FixedVectors,
    head: Head,
    vectors: SparseBlocks,
    targets: np.ndarray,
    weights: np.ndarray,
    seed: int,
    deadline: float = float("inf"),
) -> Fitting:
    """A head of vectors (N, D) that the family has learned."""
    yield Stage(f"choosing the strength of {vectors.shape[1]:,} dimensions")
    return (yield from SOLVED[head.kind](family, head, vectors, targets, weights, seed, deadline))
