"""The intercept of a reader's head, fitted once more without noise.

    minimise over b:   1/2 |b|^2 + sum_i  w_i * loss(s_i + b, y_i)

``s_i`` are the scores as they will be given from now on.  While a reader learns, words and numbers are dropped; what it
says without that is louder in some directions than in others, maxima above all, and rare labels then fall silent or one
of two is favoured.  One number a score puts that right, and one row's worth of doubt keeps it finite.
"""

import numpy as np
import torch
from scipy.optimize import minimize

from scansion.heads.catalogue import Head
from scansion.learning.reader import Reader, read
from scansion.learning.readers import ReaderJob
from scansion.randomness import stream


def refit_intercept(reader: Reader, job: ReaderJob) -> None:
    """Move the reader's intercept, in place, to where it fits ``intercept_rows`` of the rows it learned from best."""
    rows = stream(job.seed, "rows of the intercept").permutation(len(job.examples))[: job.training.intercept_rows]
    if len(rows):
        rows.sort()
        sequences = job.examples.sequences.only(rows)
        seen = reader if job.spelling is None else reader.reading(job.spelling)
        scores = read(seen, sequences, job.family.longest).astype(np.float64)
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
