"""How well probabilities rank the rows of each label before the others: where labels are rare, beside F1.

N rows, C labels; probabilities are (N, C). A measure is the mean over labels, each against the rest, as macro-F1 is; a
label that all rows have, or none, ranks nothing and is left out.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scansion.errors import UsageError
from scansion.measures.scores import array_of, mid_ranks


def roc_auc(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """The chance that a row with a label ranks above one without (Fawcett 2006, section 7); 0 to 1, by chance 0.5.

    ``truth`` is (N,) column numbers or (N, C) of 0 and 1. UsageError where no label is there both with and without.
    """
    return _mean_over_labels(_roc_auc, truth, probabilities)


def average_precision(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Precision at each row with a label, averaged over them, equal probabilities taken together; 0 to 1.

    By chance a label's share of the rows (Davis and Goadrich 2006); as scikit-learn has it, without interpolation.
    ``truth`` is (N,) column numbers or (N, C) of 0 and 1. UsageError where no label is there both with and without.
    """
    return _mean_over_labels(_average_precision, truth, probabilities)


RANKING = {"roc_auc": roc_auc, "average_precision": average_precision}


def ranking_measures(truth: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """All of them; none where no label is there both with and without."""
    held, given = _by_label(truth, probabilities)
    if not _ranked(held).any():
        return {}
    return {name: measure(held, given) for name, measure in RANKING.items()}


def _by_label(truth: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray, NDArray]:
    """Both as (N, C), the truth as booleans."""
    truth, given = array_of(truth), array_of(probabilities)
    if given.ndim != 2 or len(truth) != len(given) or (truth.ndim == 2 and truth.shape != given.shape):
        raise UsageError(
            f"Expected probabilities as (N, C), a row for each of the truth's {len(truth):,}; got {given.shape}."
        )
    return (truth > 0 if truth.ndim == 2 else truth[:, None] == np.arange(given.shape[1])), given


def _ranked(held: NDArray) -> NDArray:
    rows = held.sum(axis=0)
    return (rows > 0) & (rows < len(held))


def _mean_over_labels(
    measure: Callable[[NDArray, NDArray], float], truth: ArrayLike, probabilities: ArrayLike
) -> float:
    held, given = _by_label(truth, probabilities)
    labels = np.flatnonzero(_ranked(held))
    if not len(labels):
        raise UsageError("Every label is there in all rows or in none, so nothing is ranked. Give rows of both kinds.")
    return float(np.mean([measure(held[:, k], given[:, k]) for k in labels]))


def _roc_auc(held: NDArray, given: NDArray) -> float:
    positives = int(held.sum())
    above = mid_ranks(given)[held].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(held) - positives)))


def _average_precision(held: NDArray, given: NDArray) -> float:
    order = np.argsort(-given, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(given[order])), len(given) - 1)
    right = held[order].cumsum()[ends]
    return float(np.sum(np.diff(right, prepend=0) * right / (ends + 1)) / right[-1])
