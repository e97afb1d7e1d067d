"""Learning where vectors are fixed, counted or a frozen encoder's: first they, and then a linear head of them."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from scansion.heads.catalogue import Head
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.events import Event, Stage
from scansion.learning.label_sets import (
    FIRST_STRENGTHS,
    LabelRows,
    choose_label_strength,
    fold_parts,
    solve_all_labels,
)
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


Fitting = Generator[Event, None, FittedLinear]


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
    yield Stage(f"choosing the strength of {vectors.shape[1]:,} dimensions")
    return (yield from SOLVED[head.kind](family, head, vectors, targets, weights, seed, deadline))


def _together(
    family: FixedVectors, head: Head, vectors: SparseBlocks, targets: np.ndarray, weights: np.ndarray, seed: int,
    deadline: float,
) -> Fitting:
    """All outputs of the head in one problem."""

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


def _label_by_label(
    family: FixedVectors, head: Head, vectors: SparseBlocks, targets: np.ndarray, weights: np.ndarray, seed: int,
    deadline: float,
) -> Fitting:
    """A problem a label."""

    def widths_of(rows: SparseBlocks, answers: np.ndarray) -> np.ndarray | None:
        return family.widths(rows, answers, answers.shape[1])

    rows = LabelRows(vectors, targets, weights, widths_of)
    parts = fold_parts(rows, head, seed)
    choice = Choice(FIRST_STRENGTHS[-1], {}, np.zeros(0, np.int64), np.zeros((0, head.size)), "nothing to choose from")
    if parts:
        with one_thread_each(), ThreadPoolExecutor(THREADS) as pool:
            choice = choose_label_strength(rows, parts, deadline, pool)
    yield Stage(f"solving {head.size:,} labels with strength {choice.strength:g}")
    with one_thread_each(), ThreadPoolExecutor(THREADS) as pool:
        linear, held_out, logits = solve_all_labels(rows, parts, choice.strength, pool)
    return FittedLinear(linear, replace(choice, rows=held_out, logits=logits))


SOLVED: dict[str, Callable[..., Fitting]] = {
    "multiclass": _together, "multilabel": _label_by_label, "regression": _together,
}
"""How a head of each kind is solved."""
