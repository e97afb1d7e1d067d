"""The convex learner: vectors are fixed, a linear head is solved exactly.

    minimise over V, b:   1/2 |V|^2 + C * sum_i  w_i * loss(x_i (r * V) + b, y_i)

``r`` are the per-feature prior widths a family may give (all ones by default); with log-count ratios this is the
NB-SVM of Wang and Manning (2012).  The loss is the head's own.  L-BFGS (Liu and Nocedal 1989) solves it, and the
strength C is chosen among ``STRENGTHS`` by the held-out loss of an inner cross-validation.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.sparse import csr_matrix


from scansion.heads.catalogue import Head
from scansion.randomness import stream

Vectors = csr_matrix

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
FOLDS = 3
ROWS_ENOUGH = 5_000  # held-out rows that rank strengths surely enough
ITERATIONS = 200
SMALLEST_STEP = 1e-6  # relative decrease of the objective at which it is solved
COARSE_STEP = 1e-4  # enough to rank strengths


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
    start: Linear | None = None,
    precision: float = SMALLEST_STEP,
) -> Linear:
    """The exact head for one strength.

    ``vectors (N, D)``, ``targets`` as the head encodes them, ``row_weights (N,)``, ``widths (D, K)``; ``start`` is a
    solution for a neighbouring strength, from which it is reached sooner.
    """
    columns, outputs = vectors.shape[1], head.size
    wanted = torch.from_numpy(targets)
    weights = torch.from_numpy(np.ones(len(targets)) if row_weights is None else row_weights.astype(np.float64))
    transposed = vectors.T

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        free, bias = flat[: columns * outputs].reshape(columns, outputs), flat[columns * outputs :]
        reach = free if widths is None else free * widths
        scores = torch.from_numpy(np.asarray(vectors @ reach.astype(vectors.dtype), np.float64) + bias)
        scores.requires_grad_()
        loss = strength * (head.loss(scores, wanted) * weights).sum()
        loss.backward()
        slope = scores.grad.numpy()  # (N, K)
        towards = np.asarray(transposed @ slope.astype(vectors.dtype), np.float64)
        if widths is not None:
            towards = towards * widths
        gradient = np.concatenate([(towards + free).ravel(), slope.sum(axis=0)])
        return float(loss.detach()) + 0.5 * float(np.sum(free * free)), gradient

    first = np.zeros(columns * outputs + outputs)
    if start is not None:
        reach = start.weights if widths is None else np.divide(start.weights, widths, out=np.zeros_like(start.weights), where=widths != 0)
        first = np.concatenate([reach.ravel(), start.bias])
    options = {"maxiter": ITERATIONS, "maxcor": 10, "ftol": precision, "gtol": 0.0}
    found = minimize(objective, first, jac=True, method="L-BFGS-B", options=options).x
    free, bias = found[: columns * outputs].reshape(columns, outputs), found[columns * outputs :]
    return Linear(free if widths is None else free * widths, bias, strength)


@dataclass(frozen=True)
class Choice:
    """The chosen strength, the mean held-out loss of each one tried, and what the chosen one answered held out."""

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
    """Inner cross-validation over ``STRENGTHS``, weakest first, each fold starting from its last solution.

    ``widths_of`` learns the prior widths from a fold's own training rows, so that no fold sees its held-out targets.
    Folds are used until ``ROWS_ENOUGH`` rows have been held out.  Stops when two strengths in a row are worse than
    the best, or at ``deadline`` (``time.monotonic``).
    """
    weights = np.ones(len(targets)) if row_weights is None else row_weights
    parts = fold_rows(head, targets, FOLDS, seed)
    parts = [part for part in parts[: max(1, -(-ROWS_ENOUGH * FOLDS // len(targets)))] if len(part)]
    if vectors.shape[1] == 0 or len(parts) * 2 > len(targets):
        return Choice(STRENGTHS[-1], {}, np.zeros(0, np.int64), np.zeros((0, head.size)), "nothing to choose from")
    folds = [_Fold(vectors, targets, weights, part, widths_of) for part in parts]
    rows = np.concatenate(parts)
    held_out: dict[float, float] = {}
    best, best_scores, worse, reason = STRENGTHS[0], np.zeros((0, head.size)), 0, "least held-out loss"
    with ThreadPoolExecutor(threads) as pool:
        for strength in STRENGTHS:
            scores = np.concatenate(list(pool.map(lambda fold: fold.scores(head, strength), folds)))  # noqa: B023
            losses = head.loss(torch.from_numpy(scores), torch.from_numpy(targets[rows])).numpy()
            held_out[strength] = float(np.average(losses, weights=weights[rows]))
            if held_out[strength] <= held_out[best]:
                best, best_scores, worse = strength, scores, 0
            else:
                worse += 1
            if worse == 2:
                break
            if time.monotonic() > deadline:
                reason = "the budget ended the search"
                break
    return Choice(best, held_out, rows, best_scores, reason)


def fold_rows(head: Head, targets: np.ndarray, folds: int, seed: int) -> list[np.ndarray]:
    """Row numbers of each of ``folds`` parts, with the head's groups in proportion."""
    order = stream(seed, "folds").permutation(len(targets))
    groups = head.group(targets)
    if groups is not None:
        order = order[np.argsort(groups[order], kind="stable")]
    return [np.sort(order[part::folds]) for part in range(folds)]


class _Fold:
    """One fold: its training part, its held-out vectors and its last solution."""

    def __init__(self, vectors, targets, weights, held, widths_of) -> None:
        kept = np.setdiff1d(np.arange(len(targets)), held)
        self.vectors, self.targets, self.weights = vectors[kept], targets[kept], weights[kept]
        self.held = vectors[held]
        self.widths = None if widths_of is None else widths_of(self.vectors, self.targets)
        self.solution: Linear | None = None

    def scores(self, head: Head, strength: float) -> np.ndarray:
        """What a head of this strength, learned on the training part, answers for the held-out part."""
        self.solution = solve(
            self.vectors, self.targets, head, strength,
            row_weights=self.weights, widths=self.widths, start=self.solution, precision=COARSE_STEP,
        )
        return self.solution.scores(self.held)
