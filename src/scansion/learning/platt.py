"""Scores of yes-or-no questions as logits (Platt 1999); a label with few positives is read much as the others are.

    logit = e^a z + b,      minimise over a, b:   sum_i  w_i * -log p(y_i)  +  P/2 ((a - a0)^2 + (b - b0)^2)

``a0, b0`` is the line that fits the scores of all labels together.  The slope is a power of e, so that scores keep
their order.
"""

import numpy as np
from scipy.special import expit

PRIOR = 1.0  # P
MOST_SCORES = 1 << 20  # enough to know two numbers
LABELS_AT_A_TIME = 32
MOST_STEPS, MOST_HALVINGS, SMALLEST_STEP = 50, 20, 1e-4


def platt_lines(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and intercept of each label, (K,) each.

    ``scores (N, K)`` of rows that were not learned from, ``targets (N, K)`` of 0 and 1, ``weights (N,)``.
    """
    rows, labels = scores.shape
    some = np.linspace(0, labels - 1, max(1, min(labels, MOST_SCORES // rows))).astype(int)
    spread = np.maximum(scores[:, some].std(), np.finfo(np.float32).tiny)
    every, held = scores[:, some].reshape(-1, 1), targets[:, some].reshape(-1, 1)
    common = _fitted(every, held, np.repeat(weights, len(some)), np.array([[-np.log(spread)], [0.0]]))
    parts = [slice(first, first + LABELS_AT_A_TIME) for first in range(0, labels, LABELS_AT_A_TIME)]
    exponents, intercepts = np.concatenate(
        [_fitted(scores[:, part], targets[:, part], weights, common) for part in parts], axis=1
    )
    return np.exp(exponents), intercepts


def _fitted(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """a and b of every column of scores (N, B), (2, B), by Newton's method with the curvature of Fisher's scoring."""
    scores, counts = scores.astype(np.float64), weights.astype(np.float64)[:, None]

    def loss(line: np.ndarray) -> np.ndarray:
        logits = np.exp(line[0]) * scores + line[1]
        return (counts * (np.logaddexp(0, logits) - targets * logits)).sum(axis=0) + _away(line - prior)

    line = np.repeat(prior, scores.shape[1] // prior.shape[1], axis=1)
    before = loss(line)
    for _ in range(MOST_STEPS):
        turned = np.exp(line[0]) * scores
        shares = expit(turned + line[1])
        errors, curvature = counts * (shares - targets), counts * shares * (1 - shares)
        slope = np.stack([(errors * turned).sum(axis=0), errors.sum(axis=0)]) + PRIOR * (line - prior)
        own = (curvature * turned**2).sum(axis=0) + PRIOR, curvature.sum(axis=0) + PRIOR
        both = (curvature * turned).sum(axis=0)
        step = np.stack([both * slope[1] - own[1] * slope[0], both * slope[0] - own[0] * slope[1]])
        step /= own[0] * own[1] - both**2
        for _ in range(MOST_HALVINGS):
            after = loss(line + step)
            worse = ~(after <= before)
            if not worse.any():
                break
            step[:, worse] /= 2
        step[:, worse] = 0
        line, before = line + step, np.where(worse, before, after)
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return line


def _away(by: np.ndarray) -> np.ndarray:
    return PRIOR / 2 * (by**2).sum(axis=0)
