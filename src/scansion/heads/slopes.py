"""What the losses of :mod:`scansion.heads.losses` add up to over weighted rows, and the slope of that, in closed form.

    multiclass   sum_i w_i (log sum_k exp(s_ik) - s_iy),   slope w_i (p_ik - 1[k = y_i])
    multilabel   a sigmoid each label, their mean,         slope w_i (p_ik - y_ik) / K
    regression   half the squared error,                   slope w_i (s_i - y_i)

A linear head is solved by some hundred of these, each of few numbers: torch's way to a slope, forwards and back, takes
four times as long.
"""

from collections.abc import Callable

import numpy as np

from scansion.heads.catalogue import Head

WeightedLoss = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Logits (N, K) float64 to the weighted loss of all rows, and its slope (N, K)."""


def weighted_loss(head: Head, targets: np.ndarray, weights: np.ndarray) -> WeightedLoss:
    """Of rows with ``targets`` as the head encodes them and ``weights (N,)``."""
    if head.kind == "multiclass" and head.size > 1:
        return _of_softmax(targets, weights)
    wanted = targets.reshape(len(targets), head.size).astype(np.float64)
    if head.kind == "regression":
        return _of_squares(wanted, weights[:, None])
    return _of_sigmoids(wanted, weights[:, None] / head.size)


def _of_softmax(targets: np.ndarray, weights: np.ndarray) -> WeightedLoss:
    rows = np.arange(len(targets))

    def loss(logits: np.ndarray) -> tuple[float, np.ndarray]:
        scores = np.ascontiguousarray(logits.T)  # a label's in a row: sums over few labels are of whole rows then
        scores -= scores.max(axis=0)
        of_targets = scores[targets, rows]
        np.exp(scores, out=scores)
        totals = scores.sum(axis=0)
        scores *= weights / totals
        scores[targets, rows] -= weights
        return float(weights @ (np.log(totals) - of_targets)), np.ascontiguousarray(scores.T)

    return loss


def _of_sigmoids(wanted: np.ndarray, weights: np.ndarray) -> WeightedLoss:
    def loss(logits: np.ndarray) -> tuple[float, np.ndarray]:
        small = np.exp(-np.abs(logits))
        each = np.maximum(logits, 0) - logits * wanted + np.log1p(small)
        yes = np.where(logits >= 0, 1.0, small) / (1 + small)
        return float((weights * each).sum()), weights * (yes - wanted)

    return loss


def _of_squares(wanted: np.ndarray, weights: np.ndarray) -> WeightedLoss:
    def loss(logits: np.ndarray) -> tuple[float, np.ndarray]:
        off = logits - wanted
        slope = weights * off
        return 0.5 * float((slope * off).sum()), slope

    return loss
