"""Whether a family's numbers mean what they say: predicted beside true, in bins (Guo et al. 2017, section 2).

    error = sum over bins of  count_b / N * |mean predicted_b - mean true_b|

Of one label, "predicted" is the probability of the answer and "true" whether the answer is right; this is the expected
calibration error.  Of several labels, they are the probability of a label and whether the document has it; of numbers,
the numbers themselves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from scansion.measures.intervals import wilson

BINS = 15
QUANTILES = 10


@dataclass(frozen=True)
class Bin:
    """What was predicted in (``begin``, ``end``]: its mean, and the mean of what is true with its 95 % interval.

    One number alone has no interval, which is null then.
    """

    begin: float
    end: float
    count: int
    predicted: float
    true: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Calibration:
    """The bins that hold something, lowest first, and the error over all of them."""

    error: float
    bins: tuple[Bin, ...]


def calibration_of(kind: str, truth: NDArray, answers: NDArray, confidences: NDArray | None) -> Calibration | None:
    """Of a family's answers to one kind of question; None for labels without probabilities.

    ``confidences`` are the probability of each answer, (N,), or of each label, (N, labels).
    """
    if kind == "regression":
        edges = np.unique(np.quantile(answers, np.linspace(0, 1, QUANTILES + 1)[1:-1], method="lower"))
        return _binned(answers, truth.astype(np.float64), np.array([answers.min(), *edges, answers.max()]), None)
    if confidences is None:
        return None
    true = (answers == truth if kind == "multiclass" else truth == 1).astype(np.float64)
    documents = np.arange(len(truth)) if true.ndim == 1 else np.repeat(np.arange(len(truth)), true.shape[1])
    edges = np.arange(BINS + 1) / BINS
    return _binned(confidences.astype(np.float64).ravel(), true.ravel(), edges, documents)


def _binned(predicted: NDArray, true: NDArray, edges: NDArray, documents: NDArray | None) -> Calibration:
    """Bins between the ``edges``; a value on an edge is in the bin below it.

    ``documents`` says whose each share is, None for numbers.  A document's labels hang together, so an interval of
    shares is as wide as if each document had one in the bin.
    """
    numbers = np.clip(np.searchsorted(edges, predicted, side="left") - 1, 0, len(edges) - 2)
    bins = []
    for number in np.unique(numbers):
        mine = numbers == number
        held = true[mine]
        if documents is None:
            low, high = _around(held)
        else:
            count = len(np.unique(documents[mine]))
            low, high = wilson(held.mean() * count, count)
        bins.append(Bin(
            float(edges[number]), float(edges[number + 1]), len(held), float(predicted[mine].mean()),
            float(held.mean()), low, high,
        ))
    error = sum(each.count * abs(each.predicted - each.true) for each in bins) / len(true)
    return Calibration(float(error), tuple(bins))


def _around(numbers: NDArray) -> tuple[float | None, float | None]:
    if len(numbers) < 2:
        return None, None
    half = stdtrit(len(numbers) - 1, 0.975) * numbers.std(ddof=1) / np.sqrt(len(numbers))
    middle = numbers.mean()
    return float(middle - half), float(middle + half)
