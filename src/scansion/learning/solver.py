"""The convex learner: vectors are fixed, a linear head is solved exactly.

    minimise over V, b:   1/2 |V|^2 + C * sum_i  w_i * loss(x_i (r * V) + b, y_i)

``r`` are the per-feature prior widths a family may give (all ones by default); with log-count ratios this is the
NB-SVM of Wang and Manning (2012).  The loss is the head's own.  L-BFGS solves it (:mod:`scansion.learning.row_space`),
and the strength C is chosen among ``STRENGTHS`` by an inner cross-validation: the smallest whose held-out loss, at its
best temperature (:mod:`scansion.heads.temperature`), is within one standard error of the lowest (Breiman et al. 1984,
section 3.4.3).
The error alone is a noisy guide, and the loss as it is favours confidence over being right.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import reduce
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from scansion.heads.catalogue import Head
from scansion.heads.slopes import weighted_loss
from scansion.heads.temperature import calibrated_losses
from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.events import Stage
from scansion.learning.folds import runs_of_rows
from scansion.learning.linear import FixedVectors, Linear
from scansion.learning.row_space import RowSpace, lowest
from scansion.learning.strengths import Choice, FittedLinear, Fitting, further, smallest_good
from scansion.learning.thread_pool import ONE_THREAD
from scansion.memory import check_memory, pool_of

STRENGTHS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
FIRST_STRENGTHS = (5.0, 10.0)
FOLDS = 3
THREADS = 2
ROWS_ENOUGH = 4_000  # held-out rows that rank strengths surely enough
MOST_ROWS = 12_000  # C is the variance of a prior, which does not depend on how many rows there are
SMALLEST_STEP = 1e-5  # decrease of the mean loss over some steps in a row at which it is solved
COPIES_OF_ROWS = 100
"""Arrays (N, K) of float64 that a search and a solution have at a time: measured, 115 to 129."""
COARSE_STEP = 1e-3  # enough to rank strengths


def fit_together(
    family: FixedVectors, head: Head, vectors: SparseBlocks, targets: np.ndarray, weights: np.ndarray, seed: int,
    deadline: float,
) -> Fitting:
    """Learn a linear head, all of its outputs in one problem, and choose its strength."""

    def widths_of(rows: SparseBlocks, answers: np.ndarray) -> np.ndarray | None:
        return family.widths(rows, None if head.kind == "regression" else answers, head.size)

    check_memory(
        8.0 * head.size * (COPIES_OF_ROWS * len(targets) + vectors.shape[1]),
        f"A linear head of {head.size:,} labels, on {len(targets):,} rows of {vectors.shape[1]:,} dimensions,",
        "Join labels to fewer, take fewer rows, or choose a family that learns by gradient, such as lstm.",
    )
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


def solve(
    vectors: SparseBlocks,
    targets: np.ndarray,
    head: Head,
    strength: float,
    *,
    row_weights: np.ndarray | None = None,
    widths: np.ndarray | None = None,
    precision: float = SMALLEST_STEP,
    start: Linear | None = None,
    threads: int = 1,
) -> Linear:
    """The exact head for one strength.

    ``vectors (N, D)``, ``targets`` as the head encodes them, ``row_weights (N,)``, ``widths (D, K)`` or
    (D, 1).  ``start`` is a head to begin from, such as that of some of the rows; the answer is the same, sooner.
    """
    columns, outputs, rows = vectors.shape[1], head.size, len(targets)
    shares = (np.ones(rows) if row_weights is None else row_weights.astype(np.float64)) / rows
    loss = weighted_loss(head, targets, shares)
    first = Linear(np.zeros((columns, outputs)), np.zeros(outputs), strength) if start is None else start
    reach = np.ones((1, 1)) if widths is None else widths
    with _Products(vectors.by_columns() if outputs > 1 else vectors, threads) as products:
        space = RowSpace(
            products, reach, shares / shares.sum(), loss, 1 / (strength * rows), first.weights, first.bias
        )
        weights, bias = space.answer(lowest(space, precision))
    return Linear(weights, bias, strength)


class _Products:
    """The products of rows (N, D), whose blocks several threads share; float32, but (N, K) as float64."""

    def __init__(self, vectors: SparseBlocks, threads: int) -> None:
        self.vectors, self.threads = vectors, threads
        self.pool = pool_of(threads)
        self.map = self.pool.map if threads > 1 else map  # a single thread would only be waited for

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def times(self, weights: np.ndarray) -> np.ndarray:
        """(D, K) -> (N, K)."""
        weights, blocks = weights.astype(np.float32, copy=False), range(len(self.vectors))
        found = self.map(lambda number: _times(self.vectors[number], weights), blocks)
        return np.concatenate(list(found)).astype(np.float64)

    def transposed_times(self, columns: np.ndarray) -> np.ndarray:
        """(N, K) -> (D, K)."""
        columns = columns.astype(np.float32, copy=False)

        def some(first: int) -> np.ndarray:
            numbers = range(first, len(self.vectors), self.threads)
            return reduce(np.add, (_times(self.vectors[n].T, columns[self.vectors.span(n)]) for n in numbers))

        return reduce(np.add, self.map(some, range(min(self.threads, len(self.vectors)))))


def _times(matrix: csr_matrix, columns: np.ndarray) -> np.ndarray:
    """``matrix @ columns``; the kernel for a single column is three times as fast."""
    return (matrix @ columns[:, 0])[:, None] if columns.shape[1] == 1 else matrix @ columns


def choose_strength(
    vectors: SparseBlocks,
    targets: np.ndarray,
    head: Head,
    seed: int,
    *,
    row_weights: np.ndarray | None = None,
    widths_of: Callable[[SparseBlocks, np.ndarray], np.ndarray | None] | None = None,
    deadline: float = float("inf"),
    threads: int = 2,
) -> Choice:
    """Inner cross-validation over ``STRENGTHS``.

    ``widths_of`` learns the prior widths from a fold's own training rows, so that no fold sees its held-out targets.
    At most about ``MOST_ROWS`` rows are used, and folds until ``ROWS_ENOUGH`` of them have been held out.  The
    search begins with ``FIRST_STRENGTHS`` and goes on beyond an edge that is the best; it ends early at
    ``deadline`` (``time.monotonic``).
    """
    weights = np.ones(len(targets)) if row_weights is None else row_weights
    parts = runs_of_rows(head, targets, FOLDS * max(1, round(len(targets) / MOST_ROWS)), seed)[:FOLDS]
    used = np.sort(np.concatenate(parts))
    parts = [part for part in parts[: max(1, -(-ROWS_ENOUGH * FOLDS // len(used)))] if len(part)]
    if vectors.shape[1] == 0 or len(parts) * 2 > len(targets):
        return Choice(STRENGTHS[-1], {}, np.zeros(0, np.int64), np.zeros((0, head.size)), "nothing to choose from")
    folds = [_Fold(vectors, targets, weights, part, np.setdiff1d(used, part), widths_of) for part in parts]
    rows = np.concatenate(parts)
    tried: dict[float, np.ndarray] = {}  # all held-out rows' logits
    losses: dict[float, np.ndarray] = {}  # and their weighted losses
    reason, cut_short = "within one standard error of the least held-out loss", False
    with one_thread_each(), pool_of(threads) as pool:
        wanted: tuple[float, ...] = FIRST_STRENGTHS
        starts: Sequence[Linear | None] = [None] * len(folds)
        while wanted:
            answers = dict(zip(wanted, _answers(pool, folds, head, wanted, starts), strict=True))
            for strength, (_, logits) in answers.items():
                tried[strength] = logits
                losses[strength] = weights[rows] * calibrated_losses(head, logits, targets[rows], weights[rows])
            chosen = smallest_good(losses)
            if chosen in answers:  # the heads of others are not worth their memory
                starts = answers[chosen][0]
            wanted = further(STRENGTHS, sorted(losses), chosen)
            if wanted and time.monotonic() > deadline:
                reason, cut_short = f"{reason}, of those the budget allowed", True
                break
    means = {strength: float(rows_losses.mean()) for strength, rows_losses in losses.items()}
    return Choice(chosen, means, rows, tried[chosen], reason, starts[0], cut_short)


def _answers(
    pool: Executor, folds: list["_Fold"], head: Head, strengths: tuple[float, ...],
    starts: Sequence[Linear | None],
) -> list[tuple[list[Linear], np.ndarray]]:
    """Every fold's head, begun from ``starts``, and the held-out logits of all folds under each strength."""
    parts = [
        [pool.submit(fold.head, head, strength, start) for fold, start in zip(folds, starts, strict=True)]
        for strength in strengths
    ]
    heads = [[part.result() for part in row] for row in parts]
    return [
        (row, np.concatenate([mine.logits(fold.held) for mine, fold in zip(row, folds, strict=True)])) for row in heads
    ]


@contextmanager
def one_thread_each() -> Iterator[None]:
    """The vectors are too short for several threads to share one: L-BFGS on two took three times as long as on one."""
    with ONE_THREAD, threadpool_limits(limits=1):
        yield


class _Fold:
    """One fold: its training part and its held-out vectors."""

    def __init__(self, vectors, targets, weights, held, kept, widths_of) -> None:
        self.vectors = SparseBlocks.of(vectors.rows(kept))
        self.targets, self.weights, self.held = targets[kept], weights[kept], vectors.rows(held)
        self.widths = None if widths_of is None else widths_of(self.vectors, self.targets)
        if targets.ndim > 1 or targets.max(initial=0) > 1:
            self.vectors = self.vectors.by_columns()

    def head(self, head: Head, strength: float, start: Linear | None) -> Linear:
        """A head of this strength, learned on the training part."""
        return solve(
            self.vectors, self.targets, head, strength, row_weights=self.weights, widths=self.widths,
            precision=COARSE_STEP, start=start,
        )
