"""A document network's logits, recalibrated once it is trained: their intercept, and the slope of a regression.

The intercept of the head is refitted without noise:

    minimise over b:   1/2 |b|^2 + sum_i  w_i * loss(s_i + b, y_i)

``s_i`` are the logits of training rows as they will be from now on.  During training words and numbers are dropped;
without that sums are longer and maxima lower, all of them at once, and one label is favoured.  One number a logit puts
that right, and a prior worth one row keeps it finite.

The slope of a regression is refitted on held-out rows:

    minimise over a, b:   d/2 (a - 1)^2 + d/2 b^2 + sum_i  w_i / 2 * (a * s_i + b - y_i)^2

What fits its own rows is over-dispersed on others (Copas 1983, "Regression, prediction and shrinkage").  A prior worth
``d`` rows keeps the line near ``s`` itself where few rows are held out.  The order of the answers stays as it was: a
line that falls is not used.
"""

import numpy as np
import torch
from scipy.optimize import minimize

from scansion.heads.catalogue import Head
from scansion.heads.losses import row_losses
from scansion.learning.document_job import DocumentJob
from scansion.learning.document_network import DocumentNetwork
from scansion.randomness import stream

MOST_ROWS = 2_000  # enough to know one number a logit
PRIOR_ROWS = 10.0


def refit_intercept(network: DocumentNetwork, job: DocumentJob) -> None:
    """Move the intercept, in place, to where it fits training rows best; if the head sees the word sum."""
    if network.word_sum is None:
        return
    rows = np.sort(stream(job.seed, "rows of the intercept").permutation(len(job.examples))[:MOST_ROWS])
    examples = job.examples.only(rows)
    logits = job.logits(network, examples.sequences).astype(np.float64)
    moved = intercept(
        network.head, logits, examples.targets, examples.weights, job.training.label_smoothing
    )
    with torch.no_grad():
        network.output.bias.add_(torch.from_numpy(moved).float())


def intercept(head: Head, logits: np.ndarray, targets: np.ndarray, weights: np.ndarray, smoothing: float) -> np.ndarray:
    """What to add to logits (N, K), a number for each, (K,)."""
    given, wanted, counts = torch.from_numpy(logits), torch.from_numpy(targets), torch.from_numpy(weights)

    def objective(at: np.ndarray) -> tuple[float, np.ndarray]:
        offset = torch.tensor(at, requires_grad=True)
        loss = 0.5 * offset.square().sum() + (counts * row_losses(head, given + offset, wanted, smoothing)).sum()
        (slope,) = torch.autograd.grad(loss, offset)
        return loss.item(), slope.numpy()

    return minimize(objective, np.zeros(logits.shape[1]), jac=True, method="L-BFGS-B").x


def refit_slope(network: DocumentNetwork, job: DocumentJob) -> None:
    """Scale and move the outputs of a regression, in place, to where they fit the held-out rows best."""
    if network.head.kind != "regression":
        return
    held = job.held_out
    slope, offset = line(job.logits(network, held.sequences)[:, 0], held.targets, held.weights)
    if slope <= 0:
        return
    with torch.no_grad():
        network.output.weight *= slope
        network.output.bias.mul_(slope).add_(offset)


def line(outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of targets (N,) on outputs (N,)."""
    columns = np.stack([outputs, np.ones(len(outputs))], axis=1).astype(np.float64)
    weighted = columns * weights[:, None]
    sides = weighted.T @ columns + PRIOR_ROWS * np.eye(2), weighted.T @ targets + [PRIOR_ROWS, 0.0]
    slope, offset = np.linalg.solve(*sides)
    return float(slope), float(offset)
