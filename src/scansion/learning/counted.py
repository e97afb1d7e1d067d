"""Learning where vectors are fixed, counted or a frozen encoder's: first they, and then a linear head of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scansion.families.bag_of_words import BagOfWordsVectors
from scansion.families.baseline import NoVectors
from scansion.families.ngrams import NGramsVectors
from scansion.heads.catalogue import Head
from scansion.layers.rows import Rows
from scansion.learning.convex import Choice, Linear, choose_strength, one_thread_each, solve
from scansion.learning.frozen import FrozenVectors
from scansion.text.batches import Sequences
from scansion.text.words import Corpus

FixedVectors = BagOfWordsVectors | NGramsVectors | NoVectors | FrozenVectors
THREADS = 2


@dataclass(frozen=True)
class Stage:
    """What is being done, for whoever watches."""

    doing: str


@dataclass(frozen=True)
class Remark:
    """What whoever watches should know."""

    text: str


@dataclass(frozen=True)
class Counted:
    """Learned vectors and their head."""

    family: FixedVectors
    linear: Linear
    choice: Choice


def learn_counted(
    family: FixedVectors,
    head: Head,
    documents: Corpus | Sequences,
    targets: np.ndarray,
    weights: np.ndarray,
    seed: int,
    deadline: float = float("inf"),
) -> Iterator[Stage | Counted]:
    """A :class:`Stage` at each turn and at last the :class:`Counted`."""
    yield Stage(f"making vectors of {len(documents):,} documents")
    vectors = family.learn(documents)
    yield Stage(f"choosing the strength of {vectors.shape[1]:,} dimensions")

    def widths_of(rows: Rows, answers: np.ndarray) -> np.ndarray | None:
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
    yield Counted(family, linear, choice)
