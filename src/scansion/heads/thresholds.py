"""From which probability on a document is given a label: the thresholds of the best F1 on rows not learned from.

Of each label the logit at which its own F1 is highest (SCut; Yang 2001, "A study of thresholding strategies for text
categorization"), drawn towards the logit t0 at which the micro-F1 of all labels is highest, as a label with n of the
rows is worth n of them and t0 is worth m:

    t = (n t_label + m t0) / (n + m),      m = 20

SCut alone overfits where positives are few (Yang 2001, section 6), and a common threshold alone, which is the best for
micro-F1 where probabilities are right (half the F1 that is reached: Lipton, Elkan and Narayanaswamy 2014), leaves out
rare labels.
"""

import numpy as np
from scipy.special import expit, logit

COMMON_ROWS = 20.0  # m
GRID = logit(np.linspace(0.005, 0.995, 199))  # where the common threshold may lie


def best_thresholds(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Probabilities, (K,): logits (N, K) of rows that were not learned from, targets (N, K) of 0 and 1."""
    common, held = common_threshold(logits, targets), targets.sum(axis=0)
    own = np.array([
        own_threshold(logits[:, k], targets[:, k]) if held[k] else common for k in range(len(held))
    ])
    return expit((held * own + COMMON_ROWS * common) / (held + COMMON_ROWS))


def common_threshold(logits: np.ndarray, targets: np.ndarray) -> float:
    """The logit of ``GRID`` with the highest micro-F1; the one of an even chance where no row has a label."""
    borders = np.concatenate([[-np.inf], GRID, [np.inf]])
    given, right = (np.histogram(part, borders)[0][::-1].cumsum()[-2::-1] for part in (logits, logits[targets > 0]))
    either = given + targets.sum()
    return float(GRID[np.argmax(2 * right / np.maximum(either, 1))]) if targets.any() else 0.0


def own_threshold(logits: np.ndarray, targets: np.ndarray) -> float:
    """Half way between the last logit (N,) that is taken and the first that is not, where F1 is highest."""
    order = np.argsort(-logits, kind="stable")
    logits, right = logits[order], targets[order].cumsum()
    last = np.append(np.flatnonzero(np.diff(logits)), len(logits) - 1)  # equal logits are taken together
    best = last[np.argmax(2 * right[last] / (last + 1 + right[-1]))]
    below = logits[best + 1] if best + 1 < len(logits) else logits[best] - 1
    return float(logits[best] + below) / 2
