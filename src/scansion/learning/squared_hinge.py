"""Several yes-or-no questions about the same sparse rows, each answered by a linear machine of the squared hinge.

    minimise over v, b:   1/2 |v|^2 + C * sum_i  w_i c(y_i) / 2 * max(0, 1 - y_i (x_i (r * v) + b))^2,    y = -1 or +1
    c(yes) = 2 sqrt(W / (2 W_yes)),   c(no) = 2

``W`` is the weight of all rows and ``W_yes`` of those with the label: the square root lies half way between counting
every row alike and every answer alike, and scores of rare and of frequent labels are then of one size (weights as a way
to a high F: Parambath et al. 2014).  On few positives the squared hinge ranks better than the logistic loss, whose
curvature vanishes with them.

The loss is quadratic wherever the set of rows inside the margin stays as it is, so Newton's method ends after a few
steps (Keerthi and DeCoste 2005); each is found by conjugate gradients, preconditioned by the diagonal (Hsia et al.
2018), and shortened where it brings too little.  Some labels are solved side by side, so that one pass over the rows
serves them all; one that is solved leaves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

from scansion.layers.sparse_blocks import SparseBlocks
from scansion.learning.linear import Linear

PRECISE, COARSE = 0.01, 0.15  # norm of the gradient where it is solved, as a share of that at v = 0
INNER_PRECISION = 0.5  # of a Newton step, by its preconditioned residual
MOST_NEWTON_STEPS, MOST_INNER_STEPS, MOST_HALVINGS = 50, 100, 20
ENOUGH_DECREASE, ROUNDING = 1e-4, 1e-6  # of a step, as shares of what its slope promises and of the loss
STATE_BYTES, ARRAYS_OF_COLUMNS, ARRAYS_OF_ROWS = 1 << 26, 8, 10  # what is being solved, and the arrays of each shape
MOST_SIDE_BY_SIDE = 16
SMALLEST_SHARE = 1e-6  # of the rows: what has no positives has no weights either


def side_by_side(outputs: int, shape: tuple[int, int]) -> Iterator[slice]:
    """Blocks of so many labels that what solving one takes, about ``STATE_BYTES``, does not grow with their number."""
    rows, columns = shape
    bytes_a_label = 4 * (ARRAYS_OF_COLUMNS * columns + ARRAYS_OF_ROWS * rows)
    size = min(MOST_SIDE_BY_SIDE, max(1, STATE_BYTES // max(1, bytes_a_label)))
    cuts = [*range(0, outputs, size), outputs]
    return (slice(first, last) for first, last in pairwise(cuts))


def solve_labels(
    vectors: SparseBlocks,
    targets: np.ndarray,
    strength: float,
    *,
    row_weights: np.ndarray,
    widths: np.ndarray | None = None,
    precision: float = PRECISE,
    start: Linear | None = None,
) -> Linear:
    """The machines of some labels: weights (D, B) and bias (B,), float32.

    ``vectors (N, D)``, ``targets (N, B)`` of 0 and 1, ``row_weights (N,)``, ``widths (D, B)`` or (D, 1).  ``start`` is
    where to begin; the answer is the same, sooner.  A label of which all rows say the same gets a bias and no weights.
    """
    columns = vectors.shape[1]
    reach = np.ones((1, 1), np.float32) if widths is None else widths.astype(np.float32)
    wanted = np.where(targets > 0, np.float32(1), np.float32(-1))
    costs = _costs(targets, strength, row_weights)
    every = Margins(vectors, wanted, costs, np.broadcast_to(reach, (columns, targets.shape[1])))
    middle = ((costs * wanted).sum(axis=0) / costs.sum(axis=0)).astype(np.float32)
    enough = precision * _norm(every.reach * every.onto(costs * (middle - wanted)))
    if start is None:
        at = Place(np.zeros((columns, len(middle)), np.float32), middle, np.broadcast_to(middle, wanted.shape).copy())
    else:
        at = every.place(start.weights / _positive(every.reach), start.bias)
    found = Linear(np.zeros((columns, len(middle)), np.float32), np.zeros(len(middle), np.float32), strength)
    live = np.arange(len(middle))
    for _ in range(MOST_NEWTON_STEPS):
        slope, bias_slope, inside = every.slope(at)
        going = np.sqrt(_norm(slope) ** 2 + bias_slope**2) > enough[live]
        if not going.all():
            _keep(found, live, every, at)
            if not going.any():
                return found
            live, every, at = live[going], every.only(going), at.only(going)
            slope, bias_slope, inside = slope[:, going], bias_slope[going], inside[:, going]
        step = every.newton_step(slope, bias_slope, inside)
        at = every.moved(at, step, _dots(slope, step.weights) + bias_slope * step.bias)
    _keep(found, live, every, at)
    return found


@dataclass(frozen=True)
class Place:
    """v (D, B), b (B,) and the scores they give the rows, (N, B); or a way to go, in the same terms."""

    weights: np.ndarray
    bias: np.ndarray
    scores: np.ndarray

    def only(self, some: np.ndarray) -> "Place":
        """Some of the labels."""
        return Place(self.weights[:, some], self.bias[some], self.scores[:, some])


@dataclass(frozen=True)
class Margins:
    """Rows (N, D), what is wanted of them (N, B) as -1 and +1, its costs (N, B), and the widths (D, B)."""

    vectors: SparseBlocks
    wanted: np.ndarray
    costs: np.ndarray
    reach: np.ndarray

    def only(self, some: np.ndarray) -> "Margins":
        """Some of the labels."""
        return Margins(self.vectors, self.wanted[:, some], self.costs[:, some], self.reach[:, some])

    def along(self, weights: np.ndarray) -> np.ndarray:
        """(D, B) -> (N, B)."""
        weights = np.ascontiguousarray(weights)
        return np.concatenate([block @ weights for block in self.vectors])

    def onto(self, columns: np.ndarray) -> np.ndarray:
        """(N, B) -> (D, B)."""
        columns, total = np.ascontiguousarray(columns), np.zeros(self.reach.shape[:1] + columns.shape[1:], np.float32)
        for number, block in enumerate(self.vectors):
            total += block.T @ columns[self.vectors.span(number)]
        return total

    def place(self, weights: np.ndarray, bias: np.ndarray) -> Place:
        """With its scores."""
        return Place(weights, bias, self.along(weights * self.reach) + bias)

    def loss(self, at: Place) -> np.ndarray:
        """What is minimised, (B,) float64."""
        short = np.maximum(1 - self.wanted * at.scores, 0)
        return 0.5 * (_dots(at.weights, at.weights) + _dots(self.costs * short, short)).astype(np.float64)

    def slope(self, at: Place) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The gradient in v (D, B) and in b (B,), and the costs of the rows inside the margin, 0 of others, (N, B)."""
        gap = at.scores - self.wanted
        inside = np.where(gap * self.wanted < 0, self.costs, np.float32(0))
        pull = inside * gap
        return at.weights + self.reach * self.onto(pull), pull.sum(axis=0), inside

    def newton_step(self, slope: np.ndarray, bias_slope: np.ndarray, inside: np.ndarray) -> Place:
        """Conjugate gradients on (1 + r X'DXr) step = -slope, D the costs inside; a label that is near enough rests."""
        easy, bias_easy = 1 / (1 + self.reach**2 * self._squares(inside)), 1 / _positive(inside.sum(axis=0))
        step, bias_step = np.zeros_like(slope), np.zeros_like(bias_slope)
        scores = np.zeros_like(self.wanted)
        rest, bias_rest = -slope, -bias_slope
        way, bias_way = rest * easy, bias_rest * bias_easy
        size = _dots(rest, way) + bias_rest * bias_way
        enough, going = INNER_PRECISION**2 * size, np.ones(len(size), bool)
        for _ in range(MOST_INNER_STEPS):
            moves = self.along(way * self.reach) + bias_way
            pull = inside * moves
            curved, bias_curved = way + self.reach * self.onto(pull), pull.sum(axis=0)
            length = np.where(going, size / _positive(_dots(way, curved) + bias_way * bias_curved), 0)
            length = length.astype(np.float32)
            step += length * way
            bias_step += length * bias_way
            scores += length * moves
            rest -= length * curved
            bias_rest = bias_rest - length * bias_curved
            towards, bias_towards = rest * easy, bias_rest * bias_easy
            left = _dots(rest, towards) + bias_rest * bias_towards
            going &= left > enough
            if not going.any():
                break
            turn = np.where(going, left / _positive(size), 0).astype(np.float32)
            way, bias_way, size = towards + turn * way, bias_towards + turn * bias_way, left
        return Place(step, bias_step, scores)

    def moved(self, at: Place, step: Place, promised: np.ndarray) -> Place:
        """A step taken, halved for each label until it brings enough of what its slope (B,) promised."""
        before, length = self.loss(at), np.ones(len(promised), np.float32)
        for _ in range(MOST_HALVINGS):
            there = Place(
                at.weights + length * step.weights, at.bias + length * step.bias, at.scores + length * step.scores
            )
            short = self.loss(there) > before + ENOUGH_DECREASE * length * promised + ROUNDING * before
            if not short.any():
                break
            length[short] /= 2
        return there

    def _squares(self, inside: np.ndarray) -> np.ndarray:
        """How much every column bends the loss, (D, B)."""
        total = np.zeros_like(self.reach)
        for number, block in enumerate(self.vectors):
            squared = csr_matrix((block.data**2, block.indices, block.indptr), block.shape)
            total += squared.T @ np.ascontiguousarray(inside[self.vectors.span(number)])
        return total


def _costs(targets: np.ndarray, strength: float, row_weights: np.ndarray) -> np.ndarray:
    """C w_i c(y_i), (N, B) float32."""
    rows = row_weights.astype(np.float32)[:, None]
    held = (targets * rows).sum(axis=0) / rows.sum()
    yes = np.sqrt(0.5 / np.maximum(held, SMALLEST_SHARE))
    return (2 * strength * rows * np.where(targets > 0, yes, 1)).astype(np.float32)


def _keep(found: Linear, live: np.ndarray, every: Margins, at: Place) -> None:
    found.weights[:, live], found.bias[live] = at.weights * every.reach, at.bias


def _dots(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of each column with its fellow, (B,)."""
    return np.einsum("ij,ij->j", one, other)


def _norm(columns: np.ndarray) -> np.ndarray:
    return np.sqrt(_dots(columns, columns))


def _positive(numbers: np.ndarray) -> np.ndarray:
    """Never nought, to divide by."""
    return np.maximum(numbers, np.finfo(np.float32).tiny)
