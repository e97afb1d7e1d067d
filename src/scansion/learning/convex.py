"""The convex learner: vectors are fixed, a linear head is solved exactly.

    minimise over V, b:   1/2 |V|^2 + C * sum_i  w_i * loss(x_i (r * V) + b, y_i)

``r`` are the per-feature prior widths a family may give (all ones by default); with log-count ratios this is the
NB-SVM of Wang and Manning (2012).  The loss is the head's own.  L-BFGS (Liu and Nocedal 1989) solves it, and the
strength C is chosen among ``STRENGTHS`` by the held-out error of an inner cross-validation: the held-out loss
favours confidence over being right, and cost up to a point of accuracy.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from scansion.heads.catalogue import Head
from scansion.randomness import stream

Vectors = csr_matrix

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
FIRST_STRENGTHS = (3.0, 10.0, 30.0)
FOLDS = 3
ROWS_ENOUGH = 4_000  # held-out rows that rank strengths surely enough
MOST_ROWS = 12_000  # C is the variance of a prior, which does not depend on how many rows there are
ITERATIONS_A_ROUND = 5
MOST_ROUNDS = 100
HISTORY = 10
MOST_CURVATURE, BIAS_SCALE = 0.25, 2.0  # of the logistic loss, and one over its root
SMALLEST_STEP = 1e-5  # decrease of the mean loss in a round at which it is solved
COARSE_STEP = 1e-3  # enough to rank strengths


@dataclass(frozen=True)
class Linear:
    """``scores = vectors @ weights + bias``: weights (D, K), bias (K,)."""

    weights: np.ndarray
    bias: np.ndarray
    strength: float

    def scores(self, vectors: Vectors) -> np.ndarray:
        """(N, K) float64."""
        return np.asarray(vectors @ self.weights, np.float64) + self.bias


def solve(
    vectors: Vectors,
    targets: np.ndarray,
    head: Head,
    strength: float,
    *,
    row_weights: np.ndarray | None = None,
    widths: np.ndarray | None = None,
    precision: float = SMALLEST_STEP,
) -> Linear:
    """The exact head for one strength.

    ``vectors (N, D)``, ``targets`` as the head encodes them, ``row_weights (N,)``, ``widths (D, K)``.
    """
    columns, outputs, rows = vectors.shape[1], head.size, len(targets)
    wanted = torch.from_numpy(targets)
    shares = torch.from_numpy(np.ones(rows) if row_weights is None else row_weights.astype(np.float64)) / rows
    reach = torch.from_numpy(np.ones((1, outputs)) if widths is None else widths)
    decay = 1 / (strength * rows)
    scale = (_curvature(vectors, shares)[:, None] * reach.square() + decay).rsqrt()
    transposed = vectors.T
    free = torch.zeros(columns + 1, outputs, dtype=torch.float64, requires_grad=True)  # the last row is b

    def objective() -> Tensor:
        inner, bias = free.detach()[:-1] * scale, free.detach()[-1] * BIAS_SCALE
        scores = torch.from_numpy(_times(vectors, (inner * reach).float().numpy())).double() + bias
        scores.requires_grad_()
        loss = (head.loss(scores, wanted) * shares).sum()
        loss.backward()
        towards = torch.from_numpy(_times(transposed, scores.grad.float().numpy())).double() * reach
        bias_slope = BIAS_SCALE * scores.grad.sum(dim=0, keepdim=True)
        free.grad = torch.cat([(towards + decay * inner) * scale, bias_slope])
        return loss.detach() + 0.5 * decay * inner.square().sum()

    optimiser = torch.optim.LBFGS(
        [free], max_iter=ITERATIONS_A_ROUND, history_size=HISTORY, line_search_fn="strong_wolfe",
        tolerance_grad=0.0, tolerance_change=0.0,
    )
    before = float("inf")
    for _ in range(MOST_ROUNDS):
        # a single small step proves nothing: a round of them must bring too little
        after = float(optimiser.step(objective))
        if before - after < precision:
            break
        before = after
    inner, bias = free.detach()[:-1] * scale, free.detach()[-1] * BIAS_SCALE
    return Linear((inner * reach).numpy(), bias.numpy(), strength)


def _curvature(vectors: Vectors, shares: Tensor) -> Tensor:
    """A bound on the loss's second derivative in each weight, (D,): what L-BFGS is scaled by.

    Words differ in frequency by orders of magnitude, and so do these; scaled, half the steps are enough.
    """
    squared = vectors.copy()
    squared.data = squared.data**2
    return MOST_CURVATURE * torch.from_numpy(np.asarray(squared.T @ shares.numpy(), np.float64))


def _times(matrix: Vectors, columns: np.ndarray) -> np.ndarray:
    """``matrix @ columns``; for a single column the kernel for vectors is three times as fast."""
    return (matrix @ columns[:, 0])[:, None] if columns.shape[1] == 1 else matrix @ columns


@dataclass(frozen=True)
class Choice:
    """The chosen strength, the mean held-out error of each one tried, and what the chosen one answered held out."""

    strength: float
    held_out: dict[float, float]
    rows: np.ndarray
    """The held-out rows, (M,)."""
    scores: np.ndarray
    """Their scores by heads that had not seen them, (M, K)."""
    reason: str


def choose_strength(
    vectors: Vectors,
    targets: np.ndarray,
    head: Head,
    seed: int,
    *,
    row_weights: np.ndarray | None = None,
    widths_of: Callable[[Vectors, np.ndarray], np.ndarray] | None = None,
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
    parts = fold_rows(head, targets, FOLDS * max(1, round(len(targets) / MOST_ROWS)), seed)[:FOLDS]
    used = np.sort(np.concatenate(parts))
    parts = [part for part in parts[: max(1, -(-ROWS_ENOUGH * FOLDS // len(used)))] if len(part)]
    if vectors.shape[1] == 0 or len(parts) * 2 > len(targets):
        return Choice(STRENGTHS[-1], {}, np.zeros(0, np.int64), np.zeros((0, head.size)), "nothing to choose from")
    folds = [_Fold(vectors, targets, weights, part, np.setdiff1d(used, part), widths_of) for part in parts]
    rows = np.concatenate(parts)
    tried: dict[float, np.ndarray] = {}  # the scores of all held-out rows
    means: dict[float, float] = {}
    reason = "least held-out error"
    with one_thread_each(), ThreadPoolExecutor(threads) as pool:
        wanted = FIRST_STRENGTHS
        while wanted:
            for strength, scores in zip(wanted, _scores(pool, folds, head, wanted), strict=True):
                tried[strength] = scores
                means[strength] = float(np.average(head.errors(scores, targets[rows]), weights=weights[rows]))
            wanted = _further(means)
            if wanted and time.monotonic() > deadline:
                reason += ", of those the budget allowed"
                break
    chosen = min(means, key=lambda strength: (means[strength], strength))
    return Choice(chosen, means, rows, tried[chosen], reason)


def _scores(
    pool: ThreadPoolExecutor, folds: list["_Fold"], head: Head, strengths: tuple[float, ...]
) -> list[np.ndarray]:
    """The held-out scores of all folds under each strength, side by side."""
    parts = [[pool.submit(fold.scores, head, strength) for fold in folds] for strength in strengths]
    return [np.concatenate([part.result() for part in row]) for row in parts]


def _further(means: dict[float, float]) -> tuple[float, ...]:
    """The next strength to try: beyond the edge of those tried, as long as the edge is the best."""
    tried = sorted(means)
    best = min(tried, key=lambda strength: (means[strength], strength))
    place = STRENGTHS.index(best)
    beyond = place + 1 if best == tried[-1] else place - 1 if best == tried[0] else -1
    return (STRENGTHS[beyond],) if 0 <= beyond < len(STRENGTHS) else ()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """The vectors are too short for several threads to share one, and on a busy machine they wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fold_rows(head: Head, targets: np.ndarray, folds: int, seed: int) -> list[np.ndarray]:
    """Row numbers of each of ``folds`` parts, with the head's groups in proportion."""
    order = stream(seed, "folds").permutation(len(targets))
    groups = head.group(targets)
    if groups is not None:
        order = order[np.argsort(groups[order], kind="stable")]
    return [np.sort(order[part::folds]) for part in range(folds)]


class _Fold:
    """One fold: its training part and its held-out vectors."""

    def __init__(self, vectors, targets, weights, held, kept, widths_of) -> None:
        self.vectors, self.targets, self.weights = vectors[kept], targets[kept], weights[kept]
        self.held = vectors[held]
        self.widths = None if widths_of is None else widths_of(self.vectors, self.targets)

    def scores(self, head: Head, strength: float) -> np.ndarray:
        """What a head of this strength, learned on the training part, answers for the held-out part."""
        weights, widths = self.weights, self.widths
        linear = solve(
            self.vectors, self.targets, head, strength, row_weights=weights, widths=widths, precision=COARSE_STEP
        )
        return linear.scores(self.held)
