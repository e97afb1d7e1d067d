"""L-BFGS for linear heads in the space of rows: of D features and K outputs, N x K numbers are what it works on.

    minimise over V, b:   f(A V + b) + d/2 |V|^2,      A V = (1 - 1 s') X (r * V)

X: rows (N, D), r: prior widths, s: shares by which the columns are centred; b is not held back and makes up for that,
and the steps are fewer.  The gradient is A'e + d V with e (N, K) the slope of f, so what begins at nought is always
V = A'a (the representer theorem, Kimeldorf and Wahba 1971).  Points, directions and the history of L-BFGS (Liu and
Nocedal 1989) are therefore coordinates ``own``, a (N, K), and their ``image`` A A'a, of which inner products are made:

    <A'a, A'c> = a . (A A'c)

Nothing of size D x K is kept but the answer.  A step takes one product with X' and one with X, and a search along a
line takes none.  Where to begin, V0, is one more coordinate: V = A'a + c V0.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg.blas import daxpy

from scansion.heads.slopes import WeightedLoss

HISTORY = 10
MOST_STEPS = 500
STEPS_IN_A_ROW = 5
MOST_TRIALS = 12
FLAT = 0.1  # of the slope at its beginning: where a search along a line ends
BIAS_SCALE = 2.0  # one over the root of the logistic loss's greatest curvature


class Products(Protocol):
    """Those of the rows X (N, D)."""

    def times(self, weights: np.ndarray) -> np.ndarray:
        """(D, K) -> (N, K)."""
        ...

    def transposed_times(self, columns: np.ndarray) -> np.ndarray:
        """(N, K) -> (D, K)."""
        ...


@dataclass(frozen=True)
class Vector:
    """Coordinates and their image, both flat: of a (N, K), of b (K,), of c."""

    own: np.ndarray
    image: np.ndarray

    def dot(self, other: "Vector") -> float:
        """The inner product."""
        return float(self.own @ other.image)

    def plus(self, factor: float, other: "Vector") -> "Vector":
        """``self + factor * other``."""
        return Vector(self.own + factor * other.own, self.image + factor * other.image)

    def add(self, factor: float, other: "Vector") -> None:
        """``self + factor * other``, in the place of self."""
        daxpy(other.own, self.own, a=factor)
        daxpy(other.image, self.image, a=factor)

    def times(self, factor: float) -> "Vector":
        """``factor * self``."""
        return Vector(factor * self.own, factor * self.image)


class RowSpace:
    """The problem: rows by their ``products``, ``widths`` (D, K) or (D, 1), ``shares`` (N,), where to begin (D, K)."""

    def __init__(
        self, products: Products, widths: np.ndarray, shares: np.ndarray, loss: WeightedLoss, decay: float,
        weights: np.ndarray, bias: np.ndarray,
    ) -> None:
        self.products, self.shares, self.loss, self.decay = products, shares, loss, decay
        self.squares = (widths**2).astype(np.float32)
        self.first = weights  # r * V0
        self.mean = products.transposed_times(shares[:, None])  # (D, 1)
        inner = np.divide(weights, widths, out=np.zeros(weights.shape), where=widths > 0)
        self.size = float(inner.ravel() @ inner.ravel())  # |V0|^2
        self.ahead = self._centred(products.times(weights)) if self.size else np.zeros((len(shares), len(bias)))
        own = np.zeros(self.ahead.size + len(bias) + 1)
        own[-1] = 1.0
        bias = (bias + (self.mean.T @ weights)[0]) / BIAS_SCALE
        own[self.ahead.size : -1] = bias
        self.begin = Vector(own, np.concatenate([self.ahead.ravel(), bias, [self.size]]))

    def logits(self, of: Vector) -> np.ndarray:
        """What a point gives the rows, or how they change along a direction, (N, K)."""
        cells = self.ahead.size
        return of.image[:cells].reshape(self.ahead.shape) + BIAS_SCALE * of.image[cells:-1]

    def gradient(self, at: Vector, slope: np.ndarray) -> Vector:
        """Of the whole at a point; ``slope (N, K)`` is that of f."""
        cells = self.ahead.size
        back = self.products.transposed_times(self._centred_back(slope))
        image = self._centred(self.products.times(back * self.squares))
        bias = BIAS_SCALE * slope.sum(axis=0)
        own, image = (
            np.concatenate([part.ravel(), bias, [last]])
            for part, last in ((slope, 0.0), (image, float(slope.ravel() @ self.ahead.ravel())))
        )
        for found, there in ((own, at.own), (image, at.image)):
            found[:cells] += self.decay * there[:cells]
            found[-1] += self.decay * there[-1]
        return Vector(own, image)

    def answer(self, at: Vector) -> tuple[np.ndarray, np.ndarray]:
        """The weights (D, K) of the rows as they are, not centred, and the bias (K,)."""
        cells = self.ahead.size
        back = self.products.transposed_times(self._centred_back(at.own[:cells].reshape(self.ahead.shape)))
        weights = at.own[-1] * self.first + back * self.squares
        return weights, BIAS_SCALE * at.own[cells:-1] - (self.mean.T @ weights)[0]

    def held_back(self, one: Vector, other: Vector) -> float:
        """The inner product without the biases, which no prior holds back."""
        cells = self.ahead.size
        return float(one.own[:cells] @ other.image[:cells]) + float(one.own[-1] * other.image[-1])

    def _centred(self, seen: np.ndarray) -> np.ndarray:
        return seen - self.shares @ seen

    def _centred_back(self, slope: np.ndarray) -> np.ndarray:
        return slope - self.shares[:, None] * slope.sum(axis=0)


def lowest(space: RowSpace, precision: float) -> Vector:
    """The point at which ``STEPS_IN_A_ROW`` steps together bring less than ``precision``.

    A single small step proves nothing: several in a row must bring too little.
    """
    values: list[float] = []
    found = space.begin
    for found, value in _points(space):  # noqa: B007
        values.append(value)
        if len(values) > STEPS_IN_A_ROW and values[-1 - STEPS_IN_A_ROW] - values[-1] < precision:
            break
    return found


def _points(space: RowSpace) -> Iterator[tuple[Vector, float]]:
    """What L-BFGS comes by, and the value of each."""
    at, past = space.begin, deque[tuple[Vector, Vector, float]](maxlen=HISTORY)
    value, slope = space.loss(space.logits(at))
    gradient = space.gradient(at, slope)
    yield at, value + 0.5 * space.decay * space.held_back(at, at)
    for _ in range(MOST_STEPS):
        way = _direction(gradient, past)
        length, value, slope = _searched(space, at, way, gradient)
        if length == 0:
            return
        step = way.times(length)
        at, before = at.plus(1, step), gradient
        gradient = space.gradient(at, slope)
        change = gradient.plus(-1, before)
        bent = step.dot(change)
        if bent <= 0:  # rounding is all that is left
            return
        past.append((step, change, bent))
        yield at, value


def _direction(gradient: Vector, past: deque[tuple[Vector, Vector, float]]) -> Vector:
    """Minus the gradient, by the curvature that the last steps have shown."""
    way, factors = gradient.times(-1), []
    for step, change, bent in reversed(past):
        factors.append(step.dot(way) / bent)
        way.add(-factors[-1], change)
    if past:
        _, change, bent = past[-1]
        way = way.times(bent / change.dot(change))
    for (step, change, bent), factor in zip(past, reversed(factors), strict=True):
        way.add(factor - change.dot(way) / bent, step)
    return way


def _searched(space: RowSpace, at: Vector, way: Vector, gradient: Vector) -> tuple[float, float, np.ndarray]:
    """How far to go along a line, the value there, and the slope of f there; 0 where that leads nowhere downward.

    The whole is convex, so the slope along the line rises: its root is between a place where it falls and one where it
    does not, and is looked for by the secant.
    """
    logits, moves = space.logits(at), space.logits(way)
    held = [space.decay * space.held_back(*pair) for pair in ((at, at), (at, way), (way, way))]

    def tried(length: float) -> tuple[float, float, np.ndarray]:
        value, slope = space.loss(logits + length * moves)
        along = float(slope.ravel() @ moves.ravel()) + held[1] + length * held[2]
        return value + 0.5 * held[0] + length * held[1] + 0.5 * length**2 * held[2], along, slope

    falling, length, value, slope = gradient.dot(way), 1.0, 0.0, logits
    if falling >= 0:
        return 0.0, value, slope
    below, above = (0.0, falling), None
    for _ in range(MOST_TRIALS):
        value, along, slope = tried(length)
        if abs(along) <= FLAT * -falling:
            break
        if along < 0:
            below = length, along
        else:
            above = length, along
        if above is None:
            length *= 4
        else:
            share = below[1] / (below[1] - above[1])
            length = below[0] + min(max(share, 0.1), 0.9) * (above[0] - below[0])
    return length, value, slope
