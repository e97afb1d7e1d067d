"""Learning where vectors are fixed, counted or a frozen encoder's: first they, and then a linear head of them."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from scansion.heads.catalogue import Head
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.events import Event, Stage
from scansion.learning.linear import FixedVectors, Linear
from scansion.learning.solver import Choice, choose_strength, one_thread_each, solve
from scansion.text.batches import Sequences
from scansion.text.word_tokenizer import Corpus

THREADS = 2


@dataclass(frozen=True)
class FittedLinear:
    """A linear head, and how its strength was chosen."""

    linear: Linear
    choice: Choice


def fit_linear(
    family: FixedVectors,
    head: Head,
    documents: Corpus | Sequences,
    targets: np.ndarray,
    weights: np.ndarray,
    seed: int,
    deadline: float = float("inf"),
) -> Generator[Event, None, FittedLinear]:
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
) -> Generator[Event, None, FittedLinear]:
    """A head of vectors (N, D) that the family has learned."""
    yield Stage(f"choosing the strength of {vectors.shape[1]:,} dimensions")

    def widths_of(rows: SparseBlocks, answers: np.ndarray) -> np.ndarray | None:
        return family.widths(rows, None if head.kind == "regression" else answers, head.size)

    choice = choose_strength(
        vectors, targets, head, seed, row_weights=weights, widths_of=widths_of, deadline=deadline
    )
    yield Stage(f"solving with strength {choice.strength:g}")
    with one_thread_each():
        linear = solve(
            vectors, targets, head, choice.strength, row_weights=weights, widths=widths_of(vectors, targets),
            start=choice.head, threads=THREADS,
        )
    return FittedLinear(linear, choice)
