"""The intercept of a reader's head, fitted once more without noise.

    minimise over b:   1/2 |b|^2 + sum_i  w_i * loss(s_i + b, y_i)

``s_i`` are the scores as they will be given from now on.  While a reader learns, words and numbers are dropped; without
that its sums are longer and its maxima lower, all of them at once, and one label is favoured or a rare one falls
silent.  One number a score puts that right, and one row's worth of doubt keeps it finite.
"""

import numpy as np
import torch
from scipy.optimize import minimize

from scansion.heads.catalogue import Head
from scansion.learning.reader import Reader
from scansion.learning.readers import ReaderJob
from scansion.randomness import stream

MOST_ROWS = 2_000  # enough to know one number a score


def refit_intercept(reader: Reader, job: ReaderJob) -> None:
    """Move the intercept, in place, to where it fits rows the reader has learned from best; if it has words beside."""
    if reader.words is None:
        return
    rows = np.sort(stream(job.seed, "rows of the intercept").permutation(len(job.examples))[:MOST_ROWS])
    scores = job.scores(reader, job.examples.sequences.only(rows)).astype(np.float64)
    moved = intercept(
        job.head, scores, job.examples.targets[rows], job.examples.weights[rows], job.training.label_smoothing
    )
    with torch.no_grad():
        reader.scores.bias += torch.from_numpy(moved).float()


def intercept(head: Head, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, smoothing: float) -> np.ndarray:
    """What to add to scores (N, K), a number for each, (K,)."""
    given, wanted, counts = torch.from_numpy(scores), torch.from_numpy(targets), torch.from_numpy(weights)

    def objective(at: np.ndarray) -> tuple[float, np.ndarray]:
        offset = torch.tensor(at, requires_grad=True)
        loss = 0.5 * offset.square().sum() + (counts * head.loss(given + offset, wanted, smoothing)).sum()
        loss.backward()
        return loss.item(), offset.grad.numpy()

    return minimize(objective, np.zeros(scores.shape[1]), jac=True, method="L-BFGS-B").x
