"""The convex learner: vectors are fixed, a linear head is solved exactly.

    minimise over V, b:   1/2 |V|^2 + C * sum_i  w_i * loss(x_i (r * V) + b, y_i)

``r`` are the per-feature prior widths a family may give (all ones by default); with log-count ratios this is the
NB-SVM of Wang and Manning (2012).  The loss is the head's own.  L-BFGS (Liu and Nocedal 1989) solves it, and the
strength C is chosen among ``STRENGTHS`` by the held-out loss of an inner cross-validation.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from scansion.heads.label_sets import LabelSetsHead
from scansion.heads.labels import LabelsHead
from scansion.heads.numbers import NumbersHead
from scansion.randomness import stream

Head = LabelsHead | LabelSetsHead | NumbersHead

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
FOLDS = 3
ITERATIONS = 200
SMALLEST_STEP = 1e-6  # relative decrease of the objective at which it is solved
COARSE_STEP = 1e-4  # enough to rank strengths


@dataclass(frozen=True)
class Linear:
    """``scores = vectors @ weights + bias``: weights (D, K), bias (K,)."""

    weights: np.ndarray
    bias: np.ndarray
    strength: float

    def scores(self, vectors: csr_matrix) -> np.ndarray:
        """(N, K) float64."""
        return np.asarray(vectors @ self.weights, np.float64) + self.bias


def solve(
    vectors: csr_matrix,
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
        reach = start.weights if widths is None else np.divide(start.weights, widths, where=widths != 0)
        first = np.concatenate([reach.ravel(), start.bias])
    options = {"maxiter": ITERATIONS, "maxcor": 10, "ftol": precision, "gtol": 0.0}
    found = minimize(objective, first, jac=True, method="L-BFGS-B", options=options).x
    free, bias = found[: columns * outputs].reshape(columns, outputs), found[columns * outputs :]
    return Linear(free if widths is None else free * widths, bias, strength)


@dataclass(frozen=True)
class Choice:
    """The chosen strength, and the mean held-out loss of each one tried."""

    strength: float
    held_out: dict[float, float]
    reason: str


def choose_strength(
    vectors: csr_matrix,
    targets: np.ndarray,
    head: Head,
    seed: int,
    *,
    row_weights: np.ndarray | None = None,
    widths_of: Callable[[csr_matrix, np.ndarray], np.ndarray] | None = None,
    deadline: float = float("inf"),
) -> Choice:
    """Inner cross-validation over ``STRENGTHS``, weakest first, each fold starting from its last solution.

    ``widths_of`` learns the prior widths from a fold's own training rows, so that no fold sees its held-out targets.
    Stops when two strengths in a row are worse than the best, or at ``deadline`` (``time.monotonic``).
    """
    if vectors.shape[1] == 0 or len(targets) < 2 * FOLDS:
        return Choice(1.0, {}, "too little to choose from")
    weights = np.ones(len(targets)) if row_weights is None else row_weights
    folds = [_Fold.cut(vectors, targets, weights, held, widths_of) for held in fold_rows(head, targets, FOLDS, seed)]
    held_out: dict[float, float] = {}
    best, worse = STRENGTHS[0], 0
    for strength in STRENGTHS:
        losses = [fold.loss(head, strength) for fold in folds]
        held_out[strength] = float(np.sum(losses) / weights.sum())
        best, worse = (strength, 0) if held_out[strength] <= held_out[best] else (best, worse + 1)
        if worse == 2:
            break
        if time.monotonic() > deadline:
            return Choice(best, held_out, "the budget ended the search")
    return Choice(best, held_out, "least held-out loss")


def fold_rows(head: Head, targets: np.ndarray, folds: int, seed: int) -> list[np.ndarray]:
    """Row numbers of each of ``folds`` parts, with the head's groups in proportion."""
    order = stream(seed, "folds").permutation(len(targets))
    groups = head.group(targets)
    if groups is not None:
        order = order[np.argsort(groups[order], kind="stable")]
    return [np.sort(order[part::folds]) for part in range(folds)]


class _Fold:
    """One fold's training part, held-out part and last solution."""

    def __init__(self, kept: tuple, held: tuple, widths: np.ndarray | None) -> None:
        self.kept, self.held, self.widths = kept, held, widths
        self.solution: Linear | None = None

    @classmethod
    def cut(cls, vectors, targets, weights, held, widths_of) -> "_Fold":
        kept = np.setdiff1d(np.arange(len(targets)), held)
        inside = (vectors[kept], targets[kept], weights[kept])
        widths = None if widths_of is None else widths_of(inside[0], inside[1])
        return cls(inside, (vectors[held], targets[held], weights[held]), widths)

    def loss(self, head: Head, strength: float) -> float:
        vectors, targets, weights = self.kept
        self.solution = solve(
            vectors, targets, head, strength, row_weights=weights, widths=self.widths, start=self.solution,
            precision=COARSE_STEP,
        )
        held_vectors, held_targets, held_weights = self.held
        scores = torch.from_numpy(self.solution.scores(held_vectors))
        return float((head.loss(scores, torch.from_numpy(held_targets)) * torch.from_numpy(held_weights)).sum())
