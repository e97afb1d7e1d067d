"""From which probability on a document is given a label: the thresholds of the best F1 on rows not learned from.

Micro-F1, the main measure, and macro-F1, beside it, are both wanted.  Both are highest where every label takes, from
the likeliest row on, what makes

    2 * right - F * taken

greatest, F the micro-F1 that is reached for the one and the label's own F1 for the other (Dinkelbach 1967); so F here
is half way between the two.  The logit at which it is greatest is drawn towards the logit t0 at which the micro-F1 of
all labels with one threshold is highest, as a label with n of the rows is worth n of them and t0 is worth m:

    t = (n t_label + m t0) / (n + m),      m = 20

since thresholds of labels with few positives overfit (Yang 2001, "A study of thresholding strategies for text
categorization", section 6).
"""

import numpy as np
from scipy.special import expit, logit

COMMON_ROWS = 20.0  # m
GRID = logit(np.linspace(0.005, 0.995, 199))  # where the common threshold may lie


def best_thresholds(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Probabilities, (K,): logits (N, K) of rows that were not learned from, targets (N, K) of 0 and 1."""
    (common, micro), held = common_threshold(logits, targets), targets.sum(axis=0)
    own = np.array([
        own_threshold(logits[:, k], targets[:, k], micro) if held[k] else common for k in range(len(held))
    ])
    return expit((held * own + COMMON_ROWS * common) / (held + COMMON_ROWS))


def common_threshold(logits: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """The logit of ``GRID`` with the highest micro-F1, and that; of an even chance where no row has a label."""
    borders = np.concatenate([[-np.inf], GRID, [np.inf]])
    given, right = (np.histogram(part, borders)[0][::-1].cumsum()[-2::-1] for part in (logits, logits[targets > 0]))
    micro = 2 * right / np.maximum(given + targets.sum(), 1)
    best = int(np.argmax(micro))
    return (float(GRID[best]), float(micro[best])) if targets.any() else (0.0, 0.0)


def own_threshold(logits: np.ndarray, targets: np.ndarray, micro: float) -> float:
    """Half way between the last logit (N,) that is taken and the first that is not; ``targets`` has a 1."""
    order = np.argsort(-logits, kind="stable")
    logits, right = logits[order], targets[order].cumsum()
    last = np.append(np.flatnonzero(np.diff(logits)), len(logits) - 1)  # equal logits are taken together
    own = np.max(2 * right[last] / (last + 1 + right[-1]))
    best = last[np.argmax(2 * right[last] - (micro + own) / 2 * (last + 1))]
    below = logits[best + 1] if best + 1 < len(logits) else logits[best] - 1
    return float(logits[best] + below) / 2
